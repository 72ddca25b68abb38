import { expect, it } from '@jest/globals'
import type { AppStackRevision } from '../../../operator/api/appStackRevision.ts'
import { apiVersion, labels } from '../../../operator/api/meta.ts'
import type { App } from '../../../operator/api/app.ts'
import { app as controller } from '../../../operator/controllers/app/controller.ts'
import { publish } from '../../../operator/controllers/publish.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { ctxOf, readerOf, stored } from '../../render/world.ts'

const services = [{ name: 'web', ports: [{ port: 8080 }] }]

const revisions = Array.from({ length: 22 }, (_, index) =>
  stored({
    apiVersion,
    kind: 'AppStackRevision',
    metadata: {
      name: `shop-r${index + 1}`,
      namespace: 'team',
      uid: `${index}`,
      labels: { [labels.managedBy]: 'appstead' },
    },
    spec: { stack: 'shop', number: index + 1, services },
  }),
) as unknown as readonly AppStackRevision[]

it('a revision that may not be deleted is kept, and asked for again only after a while', async () => {
  const ctx = ctxOf(readerOf(revisions), () => undefined)
  const asked: string[] = []
  const kube: typeof ctx.kube = {
    ...ctx.kube,
    delete: (_type, { name }) => {
      asked.push(name)
      return Promise.reject(new KubeError('Forbidden', 'delete appstackrevisions: a policy'))
    },
  }
  const stack = { namespace: 'team', name: 'shop', services: revisions[0]!.spec.services }
  for (let look = 0; look < 3; look += 1) await publish({ ...ctx, kube }, stack)
  expect(asked).toEqual(['shop-r2'])
  await publish({ ...ctx, kube, now: new Date(ctx.now.getTime() + 60_000) }, stack)
  expect(asked).toEqual(['shop-r2', 'shop-r2'])
})

it('an App whose first revision would have a name that is taken says so, and by whom', async () => {
  const app = stored({
    apiVersion,
    kind: 'App',
    metadata: { name: 'hello', namespace: 'team' },
    spec: { stack: { services } },
  }) as unknown as App
  const made: string[] = []
  const first = ctxOf(readerOf([app]), ({ metadata: { name } }) => made.push(name))
  await controller.reconcile(first, app)
  const [name = ''] = made
  const theirs = { ...revisions[0]!, metadata: { ...revisions[0]!.metadata, name } }
  const { status } = await controller.reconcile(
    ctxOf(readerOf([app, theirs]), () => undefined),
    app,
  )
  expect(status?.conditions).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        type: 'Accepted',
        status: 'False',
        reason: 'RevisionNameTaken',
        message: expect.stringContaining(
          `The name '${name}' of the next revision of stack 'app-hello' is taken by one of stack 'shop'`,
        ),
      }),
    ]),
  )
})
