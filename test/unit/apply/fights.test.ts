import { beforeEach, describe, expect, it } from '@jest/globals'
import { deploymentType, secretType } from '../../../operator/api/builtin.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { fieldManager } from '../../../operator/api/meta.ts'
import { ownedDigest } from '../../../operator/apply/digest.ts'
import type { Applied, Owned } from '../../../operator/apply/execute.ts'
import { execute } from '../../../operator/apply/execute.ts'
import { Fights } from '../../../operator/apply/fights.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { Desired } from '../../../operator/render/plan.ts'
import type { Writer } from '../../../operator/runtime/controller.ts'

/** One Deployment, the operator's writes to it, and others who want it otherwise. */

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly paused?: boolean }
}

const start = Date.parse('2026-01-02T03:04:05Z')
let fights: Fights
let seconds: number
let stored: Deployment | undefined
/** The seconds at which we wrote. */
let writes: number[]
let looks: number
/** What an admission policy makes of what is sent. */
let admit: (object: Deployment) => Deployment
let uid: number

const metadata = { 'f:labels': {} }
const fieldsV1 = { 'f:metadata': metadata, 'f:spec': { 'f:replicas': {}, 'f:paused': {} } }
const entry = (manager: string, fields: object, time: string): object => ({ manager, fieldsV1: fields, time })

function store(object: KubeObject): Promise<KubeObject> {
  writes.push(seconds)
  uid = stored ? uid : uid + 1
  const managedFields = [entry(fieldManager, fieldsV1, '1')]
  const stamped = { ...object, metadata: { ...object.metadata, uid: `uid-${uid}`, managedFields } }
  stored = admit(stamped as unknown as Deployment)
  return Promise.resolve(stored)
}

const kube = {
  apply: (_type, object) => store(object),
  create: (_type, object) => store(object),
  delete: () => Promise.resolve(void (stored = undefined)),
  writeStatus: (_type, object) => Promise.resolve(object),
  recordStatus: (_type, object) => Promise.resolve(object),
  getLive() {
    looks += 1
    return Promise.resolve(stored)
  },
  listLive: () => Promise.resolve([]),
} as Writer

function desired(spec: object = { replicas: 2, paused: false }, more: Partial<Desired> = {}): Desired {
  const named = { name: 'web', namespace: 'shop-dev', labels: { a: 'b' } }
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: named, spec } as unknown as KubeObject
  return { type: deploymentType, mode: 'apply', object, ...more }
}

async function reconcile(wanted: Desired = desired()): Promise<Applied> {
  const owned: Owned[] = stored ? [{ type: wanted.type, object: stored, digest: ownedDigest(stored) }] : []
  const standing = {
    fights,
    now: new Date(start + seconds * 1000),
    of: 'r1',
    isRolledOut: () => true,
    recordOf: () => undefined,
    mayRun: true,
    wasInPlace: () => true,
    isIdle: () => false,
    isToScale: () => false,
  }
  return execute(kube, { stages: [{ name: 'services', objects: [wanted] }], keep: [] }, owned, standing)
}

/** Somebody sets another number of replicas, under a name, as soon as ours is there. */
function undo(manager = 'hpa'): void {
  if (!stored) return
  const theirs = entry(manager, { 'f:spec': { 'f:replicas': {} } }, '2')
  const old = entry('old', { 'f:spec': { 'f:replicas': {} } }, '0')
  const rest = entry(fieldManager, { 'f:metadata': metadata, 'f:spec': { 'f:paused': {} } }, '1')
  const managedFields = [old, rest, theirs]
  stored = {
    ...stored,
    spec: { ...stored.spec, replicas: 7 },
    metadata: { ...stored.metadata, managedFields } as never,
  }
}

/** An event of the other's write wakes us at once. */
async function round(): Promise<Applied> {
  const applied = await reconcile()
  undo()
  return applied
}

async function removeAfter(wanted: Desired): Promise<Applied> {
  const applied = await reconcile(wanted)
  stored = undefined
  return applied
}

async function passSeconds(count: number, each: () => Promise<unknown>): Promise<void> {
  for (let step = 0; step < count; step += 1) {
    seconds += 1
    await each()
  }
}

beforeEach(() => {
  fights = new Fights()
  seconds = 0
  stored = undefined
  writes = []
  looks = 0
  admit = (object) => object
  uid = 0
})

describe('what the API server stores otherwise than it was sent', () => {
  beforeEach(() => {
    admit = (object) => ({ ...object, spec: { ...object.spec, replicas: 1 } })
  })

  it('counts as applied, is told once and listed for ever, and is written once', async () => {
    expect((await reconcile()).altered).toMatchObject([{ paths: ['spec.replicas'], isNew: true }])
    for (let event = 0; event < 20; event += 1) {
      const applied = await reconcile()
      expect(applied).toMatchObject({ created: [], changed: [], contested: [] })
      expect(applied.altered).toMatchObject([{ paths: ['spec.replicas'], isNew: false }])
    }
    expect(writes).toHaveLength(1)
    expect(fights.isAsDesired(desired(), 'uid-1', ownedDigest(stored!))).toBe(true)
  })

  it('costs one more write after a restart', async () => {
    await reconcile()
    fights = new Fights()
    expect((await reconcile()).altered).toMatchObject([{ isNew: true }])
    await reconcile()
    expect(writes).toHaveLength(2)
  })

  it('is no leave for anybody to change the rest, or the same once more', async () => {
    await reconcile()
    const answer = stored!
    stored = { ...answer, spec: { ...answer.spec, paused: true } }
    await reconcile()
    stored = { ...answer, spec: { ...answer.spec, replicas: 9 } }
    await reconcile()
    expect([writes.length, stored.spec]).toEqual([3, { replicas: 1, paused: false }])
  })

  it('is not taken for another object of the name, nor for another rendering', async () => {
    await reconcile()
    const digest = ownedDigest(stored!)
    expect(fights.isAsDesired(desired(), 'uid-of-another', digest)).toBe(false)
    expect(fights.isAsDesired(desired({ replicas: 3, paused: false }), 'uid-1', digest)).toBe(false)
    expect(fights.alteredPaths(desired({ replicas: 3, paused: false }))).toBeUndefined()
  })

  it('is forgotten when the policy has gone, with the object and with its namespace', async () => {
    await reconcile()
    admit = (object) => object
    await reconcile(desired({ replicas: 3, paused: false }))
    expect((await reconcile(desired({ replicas: 3, paused: false }))).altered).toEqual([])
    admit = (object) => ({ ...object, spec: { replicas: 1 } })
    await reconcile()
    fights.keepOnly([desired({}, { type: secretType })])
    expect(fights.alteredPaths(desired())).toBeUndefined()
    await reconcile(desired({ replicas: 4 }))
    fights.forget('shop-dev')
    expect(fights.alteredPaths(desired({ replicas: 4 }))).toBeUndefined()
  })
})

describe('a write that somebody undoes each time', () => {
  it('is done five times at once, then after 30 s, 1, 2, 4, 8 minutes, then every 10', async () => {
    for (let event = 0; event < 50; event += 1) await round()
    await passSeconds(4000, round)
    expect(writes.slice(0, 5)).toEqual([0, 0, 0, 0, 0])
    const gaps = writes.slice(5).map((at, index) => at - writes[index + 4]!)
    expect(gaps.slice(0, 7)).toEqual([30, 60, 120, 240, 480, 600, 600])
  })

  it('is told with the paths, the name of the other, and when we go on; once it goes on, it costs one GET', async () => {
    for (let event = 0; event < 5; event += 1) expect((await round()).contested).toEqual([])
    looks = 0
    seconds = 10
    const contest = { paths: ['spec.replicas'], manager: 'hpa' }
    expect((await round()).contested).toMatchObject([{ contest, retryAfterSeconds: 20 }])
    await passSeconds(600, round)
    expect(looks).toBe(1)
    // For the moment after our write, in which all is well, too.
    await passSeconds(600, async () => {
      expect((await reconcile()).contested).toMatchObject([{ contest }])
      undo()
    })
  })

  it('ends when the other stops: as soon as our write has stood for a minute', async () => {
    for (let event = 0; event < 6; event += 1) await round()
    seconds = 30
    await reconcile()
    seconds = 31
    expect((await reconcile()).contested).toMatchObject([{ retryAfterSeconds: 59 }])
    seconds = 90
    expect((await reconcile()).contested).toEqual([])
    undo('kubectl-edit')
    expect((await reconcile()).changed).toHaveLength(1)
  })

  it('is not what a person does who edits now and then', async () => {
    for (let edit = 0; edit < 20; edit += 1) {
      expect((await round()).contested).toEqual([])
      await passSeconds(31, () => Promise.resolve())
    }
    expect(writes).toHaveLength(20)
  })

  it('does not hold up another rendering', async () => {
    for (let event = 0; event < 6; event += 1) await round()
    const next = desired({ replicas: 3, paused: false })
    expect((await reconcile(next)).changed).toEqual([next])
  })

  it('that removes the object counts too, and so does one of an object that is made anew to be changed', async () => {
    for (const mode of ['apply', 'once'] as const) {
      for (let event = 0; event < 20; event += 1) await removeAfter(desired({ replicas: 2 }, { mode }))
      expect((await removeAfter(desired({ replicas: 2 }, { mode }))).contested).toMatchObject([
        { contest: { paths: [], manager: '' } },
      ])
      expect(writes.splice(0)).toHaveLength(5)
      fights = new Fights()
    }
    const immutable = desired({ replicas: 2, paused: false }, { mode: 'immutable' })
    for (let event = 0; event < 20; event += 1) {
      await reconcile(immutable)
      undo()
    }
    // The first was no drift, the other four and the fight were looked at.
    expect([writes.length, looks]).toEqual([5, 5])
  })

  it('goes on, if anything earlier, when the clock is set back', async () => {
    for (let event = 0; event < 6; event += 1) await round()
    seconds = -3600
    expect((await round()).changed).toHaveLength(1)
  })

  it('is remembered of a few thousand objects at most', async () => {
    for (let event = 0; event < 5; event += 1) await round()
    const other = (index: number): Desired => {
      const { object } = desired()
      return desired({}, { object: { ...object, metadata: { name: `w${index}`, namespace: 'other' } } })
    }
    for (let index = 0; index < 4096; index += 1) fights.wrote(other(index), stored!, start)
    expect(fights.holdOf(desired(), start)).toBeUndefined()
    expect((await round()).changed).toHaveLength(1)
  })
})

it('a refusal counts no longer than the object stands that was in the way', () => {
  const refusal = new KubeError('Invalid', 'field is immutable')
  fights.refused(desired(), refusal, start, 120, 'theirs')
  expect(fights.holdOf(desired(), start + 1000, 'theirs')?.refusal).toBe(refusal)
  expect(fights.holdOf(desired(), start + 1000, 'another')).toBeUndefined()
  expect(fights.holdOf(desired(), start + 1000)).toBeUndefined()
})

it('a write that fails does not count', async () => {
  const failing = { ...kube, apply: () => Promise.reject(new KubeError('Unavailable', 'busy')) } as Writer
  const always = { isRolledOut: () => true, wasInPlace: () => true, recordOf: () => undefined, mayRun: true }
  const never = { isIdle: () => false, isToScale: () => false }
  const standing = { fights, now: new Date(start), of: 'r1', ...always, ...never }
  const plan = { stages: [{ name: 'services', objects: [desired()] }], keep: [] }
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await expect(execute(failing, plan, [], standing)).rejects.toThrow('busy')
  }
  expect((await reconcile()).created).toHaveLength(1)
})
