import { expect, it } from '@jest/globals'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import type { Condition } from '../../../operator/api/conditions.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { annotations } from '../../../operator/api/meta.ts'
import { makeDeployment } from '../../../operator/render/deployment.ts'
import { requestsOf } from '../../../operator/render/requests.ts'
import type { Decision } from '../../render/world.ts'
import { decide, withRevisions } from '../../render/world.ts'
import { objects } from './instance.ts'

/** What is released, and what waits, as people ask by annotations and the trigger. */

const image = (tag: number): string => `registry.example/hello:${tag}`

interface Asked {
  readonly spec?: object
  readonly deploy?: string
  readonly restart?: string
  /** Oldest first. */
  readonly releases?: readonly AppRelease[]
}

async function decideOn({ spec, deploy, restart, releases = [] }: Asked): Promise<Decision> {
  const marks = {
    ...(deploy !== undefined && { [annotations.deploy]: deploy }),
    ...(restart !== undefined && { [annotations.restart]: restart }),
  }
  const instance = {
    ...objects.instance,
    metadata: { ...objects.instance.metadata, annotations: marks },
    spec: { ...objects.instance.spec, ...spec },
  } as KubeObject
  return decide(await withRevisions([...Object.values({ ...objects, instance }), ...releases]))
}

function ended(release: AppRelease | undefined, status: 'True' | 'False' = 'True'): AppRelease {
  const reason = status === 'True' ? 'RolledOut' : 'CrashLoop'
  const conditions: Condition[] = [{ type: 'Succeeded', status, reason, message: 'why.', lastTransitionTime: '' }]
  return { ...release!, status: { observedGeneration: 1, conditions } }
}

/** Number, image and cause of the release that is made; undefined when none is. */
const made = ({ isNewRelease, release }: Decision): string | undefined =>
  isNewRelease
    ? `${release!.spec.number} ${release!.spec.services[0]!.image} restart ${release!.spec.services[0]!.restart}: ${release!.spec.cause}`
    : undefined

const manual = { image: image(2), deploy: { trigger: 'Manual' } }

it('Manual releases the first at once, and waits with everything else until it is asked', async () => {
  const first = await decideOn({ spec: { ...manual, image: image(1) } })
  expect(made(first)).toBe(`1 ${image(1)} restart undefined: instance created`)
  const releases = [ended(first.release)]
  const waiting = await decideOn({ spec: manual, releases })
  expect(made(waiting)).toBeUndefined()
  expect(waiting.changes.map(({ path }) => path)).toEqual(['services[web].image'])
  const asked = await decideOn({ spec: manual, deploy: 'go', releases })
  expect(made(asked)).toMatch(/^2 registry\.example\/hello:2 restart undefined: deploy: go; services\[web\]\.image/)
  expect(asked.release?.spec.requests).toEqual({ deploy: 'go' })
})

it('a request is handled once: not again while it stands, nor when it vanishes and comes back', async () => {
  const first = ended((await decideOn({})).release)
  const asked = await decideOn({ deploy: 'go', releases: [first] })
  expect(made(asked)).toBe(`2 ${image(1)} restart undefined: deploy: go`)
  const releases = [first, ended(asked.release)]
  expect(made(await decideOn({ deploy: 'go', releases }))).toBeUndefined()
  expect(made(await decideOn({ releases }))).toBeUndefined()
  const other = await decideOn({ spec: { image: image(2) }, releases })
  expect(other.release?.spec.requests).toEqual({ deploy: 'go' })
  const later = [...releases, ended(other.release)]
  expect(made(await decideOn({ spec: { image: image(2) }, deploy: 'go', releases: later }))).toBeUndefined()
  expect(made(await decideOn({ spec: { image: image(2) }, deploy: 'again', releases: later }))).toMatch(/^4 /)
})

it('a restart makes new pods of what runs, takes replicas along, and leaves what waits waiting', async () => {
  const first = ended((await decideOn({})).release)
  const asked = await decideOn({ spec: { ...manual, replicas: 3 }, restart: 'leak', releases: [first] })
  expect(made(asked)).toMatch(/^2 registry\.example\/hello:1 restart 2: restart: leak; services\[web\]\.replicas/)
  expect(asked.release?.spec).toMatchObject({ generation: first.spec.generation, services: [{ replicas: 3 }] })
  const owner = { app: 'hello', env: 'dev', instance: 'hello-dev', project: 'team' }
  const [before, after] = [first, asked.release!].map(
    ({ spec }) => makeDeployment(owner, { ...spec.services[0]!, asked: 1 }).object,
  )
  expect(JSON.stringify(after)).toContain(`"${annotations.restartedBy}":"2"`)
  expect(JSON.stringify(before)).not.toContain(annotations.restartedBy)
  const releases = [first, ended(asked.release)]
  const then = await decideOn({ spec: { ...manual, replicas: 3 }, restart: 'leak', releases })
  expect(made(then)).toBeUndefined()
  expect(then.changes.map(({ path }) => path)).toEqual(['services[web].image'])
  // What has been restarted is not, by a release that changes nothing about it.
  expect(made(await decideOn({ spec: { replicas: 3 }, restart: 'leak', deploy: 'x', releases }))).toBe(
    `3 ${image(1)} restart 2: deploy: x`,
  )
})

it('both requests at once are one release', async () => {
  const first = ended((await decideOn({})).release)
  const both = { spec: manual, deploy: 'go', restart: 'leak' }
  const asked = await decideOn({ ...both, releases: [first] })
  expect(made(asked)).toMatch(/^2 registry\.example\/hello:2 restart 2: deploy: go; restart: leak; /)
  expect(made(await decideOn({ ...both, releases: [first, ended(asked.release)] }))).toBeUndefined()
})

it('what failed is tried again when it is asked for, and only then; a restart is one of what serves', async () => {
  const first = ended((await decideOn({})).release)
  const spec = { image: image(2) }
  const failed = ended((await decideOn({ spec, releases: [first] })).release, 'False')
  const releases = [first, failed]
  const held = await decideOn({ spec, releases })
  expect([made(held), held.release?.spec.number, held.failed?.spec.number]).toEqual([undefined, 1, 2])
  expect(made(await decideOn({ spec, deploy: 'registry is back', releases }))).toMatch(/^3 registry\.example\/hello:2 /)
  const restarted = await decideOn({ spec, restart: 'leak', releases })
  expect(made(restarted)).toBe(`3 ${image(1)} restart 3: restart: leak`)
  const after = await decideOn({ spec, restart: 'leak', releases: [...releases, ended(restarted.release)] })
  expect([made(after), after.failed?.spec.number]).toEqual([undefined, 2])
  // Without a good one before it, only new pods are a new try.
  const alone = ended((await decideOn({})).release, 'False')
  expect(made(await decideOn({ deploy: 'again', releases: [alone] }))).toBe(`2 ${image(1)} restart 2: deploy: again`)
})

const deployOf = (deploy: string): string =>
  requestsOf({ metadata: { annotations: { [annotations.deploy]: deploy } } } as never).deploy ?? ''

it('a cause that is too long is cut, and is still another request than one that begins alike', () => {
  const [one, other] = [deployOf(`${'x'.repeat(300)}1`), deployOf(`${'x'.repeat(300)}2`)]
  expect(one).not.toBe(other)
  expect([...one].length).toBeLessThanOrEqual(256)
})
