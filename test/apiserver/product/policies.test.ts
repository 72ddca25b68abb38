import { describe, expect, it } from '@jest/globals'
import { kinds } from '../../../operator/api/kinds.ts'
import { annotations } from '../../../operator/api/meta.ts'
import { isThere, operationList } from '../../../operator/api/operations.ts'
import type { Admin, Call, Reply } from '../../support/apiserver.ts'
import {
  answersTo,
  attempts,
  dryRun,
  expectedOf,
  makeErrored,
  makeErroredOnItsWay,
  pathOf,
  person,
  said,
} from './erroredTable.ts'
import { createRunning, getInstance, makeInstance, useWorld } from './world.ts'

const world = useWorld()

describe('every cell of the column Errored that can be tried today', () => {
  it.each([
    ['a creation', async () => makeErrored(world)],
    ['a removal', async () => makeErroredOnItsWay(world)],
  ])(
    'is answered for %s as the table of operations says, with the operator at work and without',
    async (_, makeIt) => {
      const letGo = await makeIt()
      const rows = await attempts(world)
      const there = operationList.filter(([, { ways }]) => ways.length === 0 || ways.some((way) => isThere(way, kinds)))
      expect(Object.keys(rows).toSorted()).toEqual(there.map(([, { title }]) => title).toSorted())
      const { admin } = world.hands
      expect(await answersTo(rows, admin)).toEqual(expectedOf(rows))
      await world.whileDown(async () => {
        expect(await answersTo(rows, admin)).toEqual(expectedOf(rows))
      })
      await letGo?.()
    },
    90_000,
  )

  it('says object, cause and the next command, and is open again when the cause is gone', async () => {
    const { hands, operator, namespace, instance } = world
    await makeErrored(world)
    const path = pathOf('AppInstance', namespace, instance) + dryRun
    const change: Call = { method: 'PATCH', path, body: { spec: { image: 'hello:2' } }, as: person }
    const { body } = await hands.admin(change)
    const { message } = body as { message: string }
    expect(message).toContain(`AppInstance '${instance}' is Errored (Creation, NamespaceConflict since 20`)
    expect(message).toContain(`kubectl describe appinstance ${instance} -n ${namespace}`)
    expect(message).toContain(
      `kubectl annotate appinstance ${instance} -n ${namespace} --overwrite appstead.dev/retry=`,
    )
    expect(message).toContain(`kubectl delete appinstance ${instance} -n ${namespace}`)
    await hands.remove('AppInstance', { namespace, name: instance })
    await operator.until('it is gone', async () => {
      return (await hands.find('AppInstance', { namespace, name: instance })) === undefined
    })
    await hands.remove('Namespace', { namespace: '', name: instance })
    // One made anew under the name is not locked, whatever the lock still says.
    await hands.apply(makeInstance(world))
    expect(said(await hands.admin(change))).toBe('200')
  }, 60_000)

  it('says of what is on its way that only to let go of the rest is left', async () => {
    const { hands, namespace, instance } = world
    const letGo = await makeErroredOnItsWay(world)
    const path = pathOf('AppInstance', namespace, instance) + dryRun
    const { body } = await hands.admin({ method: 'PATCH', path, body: { spec: { image: 'hello:2' } }, as: person })
    const { message } = body as { message: string }
    const { uid } = (await getInstance(world)).metadata
    expect(message).toContain(`AppInstance '${instance}' is Errored (Cleanup, CleanupDeadlineExceeded since 20`)
    expect(message).toContain(
      `kubectl annotate appinstance ${instance} -n ${namespace} --overwrite ${annotations.forceDelete}=${uid}`,
    )
    expect(message).not.toMatch(/Try again|kubectl delete/)
    await letGo()
  }, 60_000)
})

describe('without an error', () => {
  it('only a change of the number of replicas alone is warned of, also by kubectl scale', async () => {
    const { hands, namespace, instance } = world
    await createRunning(world)
    const path = pathOf('AppInstance', namespace, instance)
    const send = async (body: object, subresource = ''): Promise<readonly string[]> => {
      const reply = await hands.admin({ method: 'PATCH', path: path + subresource + dryRun, body, as: person })
      expect(reply.status).toBe(200)
      return reply.warnings
    }
    const scaled = await send({ spec: { replicas: 3 } }, '/scale')
    expect(scaled).toEqual([
      expect.stringContaining(`is Immediate, the change from 1 to 3 replicas takes effect with the next deployment`),
    ])
    const edited = await send({ spec: { replicas: 3 } })
    expect(edited).toEqual([expect.stringContaining('spec.replicas from 1 to 3 takes effect with the next deployment')])
    expect(await send({ spec: { replicas: 3, image: 'hello:2' } })).toEqual([])
    expect(await send({ spec: { image: 'hello:2' } })).toEqual([])
    expect(await send({ spec: { replicas: 1 } }, '/scale')).toEqual([])
  }, 60_000)

  it('a protected instance is not deleted, nor is its project, until the protection is lifted', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world, { spec: { deletionProtection: true } })
    const { blocked } = (await getInstance(world))['status']
    expect(blocked).toEqual([expect.objectContaining({ operation: 'Delete', reason: 'Protected' })])
    const call: Call = { method: 'DELETE', path: pathOf('AppInstance', namespace, instance), as: person }
    const { body, status } = await hands.admin(call)
    expect(status).toBe(403)
    const command = `kubectl patch appinstance ${instance} -n ${namespace} --type=merge -p '{"spec":{"deletionProtection":false}}'`
    expect((body as { message: string }).message).toContain(command)
    await hands.remove('Namespace', { namespace: '', name: namespace })
    await operator.until('the project says what holds it up', async () => {
      const { conditions = [] } = (await hands.get('Namespace', { namespace: '', name: namespace }))['status']
      return JSON.stringify(conditions).includes('is protected from deletion')
    })
    expect((await getInstance(world)).metadata.deletionTimestamp).toBeUndefined()
    await hands.patch('AppInstance', { namespace, name: instance }, { spec: { deletionProtection: false } })
    await hands.remove('AppInstance', { namespace, name: instance })
    await operator.until('it is gone with all it had', async () => {
      return (await hands.find('Namespace', { namespace: '', name: instance })) === undefined
    })
  }, 90_000)
})

/** A mark of ours as a label or an annotation. */
const marked = (field: string) => ({ metadata: { [field]: { 'appstead.dev/instance': 'mine' } } })

describe('the fences', () => {
  it('keep everybody but the operator off its records and its marks on namespaces', async () => {
    const { hands, namespace, instance } = world
    await createRunning(world)
    const admin: Admin = (call) => hands.admin({ ...call, as: person })
    const patch = (path: string, body: object): Promise<Reply> => admin({ method: 'PATCH', path: path + dryRun, body })
    const own = pathOf('Namespace', '', instance)
    const answers = [
      await patch(own, marked('labels')),
      await patch(own, { metadata: { annotations: { 'appstead.dev/instance-uid': null } } }),
      await patch(pathOf('Namespace', '', namespace), marked('annotations')),
      await patch(`${own}/status`, marked('labels')),
      await admin({
        method: 'POST',
        path: `/api/v1/namespaces${dryRun}`,
        body: {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: `${instance}-x`, ...marked('labels').metadata },
        },
      }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403])
    expect((await patch(own, { metadata: { labels: { team: 'a' }, annotations: { note: 'b' } } })).status).toBe(200)
    const [release] = await hands.list('AppRelease', namespace)
    const record = pathOf('AppRelease', namespace, release!.metadata.name)
    expect(said(await admin({ method: 'DELETE', path: record + dryRun }))).toBe('403 record of the operator')
    expect(said(await patch(record, { metadata: { labels: { a: 'b' } } }))).toBe('403 record of the operator')
    const lock = {
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'AppLock',
      metadata: { namespace, name: 'locks' },
      spec: { locked: [] },
    }
    expect(said(await hands.as(person).tryApply(lock))).toBe('403 record of the operator')
  }, 60_000)

  it('keep the operator in its own group and namespace and in those of instances', async () => {
    const { hands, namespace, instance, operatorUser } = world
    await createRunning(world)
    // Whatever rights it is given.
    const operator = { user: operatorUser, groups: ['system:serviceaccounts', 'system:masters'] }
    const post = (path: string, kind: string, metadata: object): Promise<Reply> =>
      hands.admin({ method: 'POST', path: path + dryRun, body: { apiVersion: 'v1', kind, metadata }, as: operator })
    const configMap = (at: string): Promise<Reply> =>
      post(`/api/v1/namespaces/${at}/configmaps`, 'ConfigMap', { name: 'probe' })
    const answers = {
      'in its own namespace': await configMap('appstead-system'),
      'in that of an instance': await configMap(instance),
      'in a project': await configMap(namespace),
      'in kube-system': await configMap('kube-system'),
      'a namespace with its marker': await post('/api/v1/namespaces', 'Namespace', {
        name: `${instance}-y`,
        labels: { 'appstead.dev/instance': `${instance}-y` },
      }),
      'a namespace without': await post('/api/v1/namespaces', 'Namespace', { name: `${instance}-y` }),
      'the removal of a namespace that is not its own': await hands.admin({
        method: 'DELETE',
        path: pathOf('Namespace', '', namespace) + dryRun,
        as: operator,
      }),
      'a role of the cluster': await hands.admin({
        method: 'DELETE',
        path: pathOf('ClusterRole', '', 'appstead') + dryRun,
        as: operator,
      }),
    }
    expect(Object.fromEntries(Object.entries(answers).map(([what, { status }]) => [what, status]))).toEqual({
      'in its own namespace': 201,
      'in that of an instance': 201,
      'in a project': 403,
      'in kube-system': 403,
      'a namespace with its marker': 201,
      'a namespace without': 403,
      'the removal of a namespace that is not its own': 403,
      'a role of the cluster': 403,
    })
    expect(JSON.stringify(answers['in a project'].body)).toContain("no instance's (label appstead.dev/instance)")
  }, 60_000)
})
