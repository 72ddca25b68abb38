import { describe, expect, it } from '@jest/globals'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { changesBetween } from '../../../operator/render/changes.ts'
import { now } from '../../render/world.ts'
import { claimOf, reportOf, worldWith, type Happening } from './instance.ts'

const web = { name: 'web', ports: [{ port: 8080 }], healthCheck: { path: '/' } }
const data = { name: 'data', path: '/data', size: '1Gi' }

const withVolume = (volume: object, spec: object = {}): Happening['world'] & object =>
  worldWith([{ ...web, volumes: [{ ...data, ...volume }] }], spec)

const storageClass = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  ...more,
})

/** `reason: message` of a condition. */
async function told(type: string, happening: Happening): Promise<string> {
  const { status } = await reportOf(happening)
  const condition = status?.conditions?.find((each) => each.type === type)
  return `${condition?.status} ${condition?.reason}: ${condition?.message}`
}

async function releaseOf(volume: object): Promise<AppRelease> {
  return (await reportOf({ world: withVolume(volume) })).release!
}

/** A release as if it were of the revision that another one is of. */
function renamed(release: AppRelease, { spec: { stackRevision } }: AppRelease): AppRelease {
  return { ...release, spec: { ...release.spec, stackRevision } }
}

const accepted = 'True Accepted: The spec can be acted on.'

describe('a volume whose claim is there', () => {
  it('may not be made smaller, and is told what would be right', async () => {
    expect(await told('Accepted', { world: withVolume({}), more: [claimOf({ size: '1025Mi' })] })).toBe(
      "False VolumeShrunk: services[web].volumes[data].size is 1Gi, but claim 'web-data' has 1025Mi and cannot shrink: put 1025Mi or more",
    )
  })

  it('is left alone when others let it grow', async () => {
    const more = [claimOf({ size: '2Gi' })]
    expect(await told('Accepted', { world: withVolume({}), more, releases: [await releaseOf({})] })).toBe(accepted)
  })

  it('may grow if its class allows it', async () => {
    const world = withVolume({ size: '2Gi' })
    const more = [claimOf({ storageClass: 'fast' }), storageClass('fast', { allowVolumeExpansion: true })]
    expect(await told('Accepted', { world, more })).toBe(accepted)
    const fixed = [claimOf({ storageClass: 'fast' }), storageClass('fast')]
    expect(await told('Accepted', { world, more: fixed })).toContain(
      "VolumeImmutable: services[web].volumes[data].size is 2Gi, but claim 'web-data' has 1Gi, and its StorageClass 'fast' does not let volumes grow (allowVolumeExpansion): put 1Gi,",
    )
  })

  it('keeps its access mode and its class, also one that is not named any more', async () => {
    expect(await told('Accepted', { world: withVolume({ accessMode: 'ReadWriteMany' }), more: [claimOf({})] })).toBe(
      "False VolumeImmutable: services[web].volumes[data].accessMode is ReadWriteMany, but claim 'web-data' has ReadWriteOnce, which nobody can change: put ReadWriteOnce, or move the data to a volume of another name",
    )
    const more = [claimOf({ storageClass: 'fast' })]
    const slow = withVolume({ storageClassName: 'slow' })
    const said = "but claim 'web-data' has fast, which nobody can change: put fast"
    expect(await told('Accepted', { world: slow, more })).toContain(`storageClassName is slow, ${said}`)
    expect(await told('Accepted', { world: withVolume({}), more })).toBe(accepted)
    const releases = [renamed(await releaseOf({ storageClassName: 'fast' }), await releaseOf({}))]
    expect(await told('Accepted', { world: withVolume({}), more, releases })).toContain(`is not set any more, ${said}`)
  })

  it('of somebody else is not touched', async () => {
    expect(await told('Accepted', { world: withVolume({}), more: [claimOf({ owner: 'other' })] })).toBe(
      "False VolumeConflict: services[web].volumes[data] needs the claim 'web-data', but the one of that name is made by others: give the volume another name, or mount it with existingClaim: web-data",
    )
  })
})

describe('volumes of two services', () => {
  it('may not mean one claim', async () => {
    const image = 'registry.example/x:1'
    const services = [
      { ...web, name: 'a', volumes: [{ ...data, name: 'b-c' }] },
      { ...web, name: 'a-b', image, volumes: [{ ...data, name: 'c' }] },
    ]
    expect(await told('Accepted', { world: worldWith(services) })).toBe(
      "False VolumeConflict: services[a].volumes[b-c] and services[a-b].volumes[c] would have one claim, 'a-b-c': give one of the volumes another name",
    )
  })
})

describe('a service that waits for a volume', () => {
  const unschedulable = (message: string): Happening => ({ world: withVolume({}), unschedulable: message })
  const fast = { phase: 'Pending', storageClass: 'fast' }
  const late = storageClass('fast', { volumeBindingMode: 'WaitForFirstConsumer' })
  const see = '; see kubectl describe pvc web-data -n hello-dev'

  it.each<[string, Happening, string]>([
    [
      'no class at all',
      { world: withVolume({}), more: [claimOf({ phase: 'Pending' })] },
      `claim 'web-data' is not bound: it has no storage class, and the cluster has no default one${see}`,
    ],
    [
      'a class that is not there',
      { world: withVolume({}), more: [claimOf(fast), storageClass('slow')] },
      `claim 'web-data' (storage class 'fast') is not bound: no StorageClass 'fast' makes volumes, and none made by hand fits; there are: slow${see}`,
    ],
    [
      'a class that binds at once, although the scheduler says so too',
      {
        ...unschedulable('0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.'),
        more: [claimOf(fast), storageClass('fast')],
      },
      `claim 'web-data' (storage class 'fast') is not bound: no volume was made for it, and none that is there fits${see}`,
    ],
    [
      'a class that waits for a pod, when no node has a volume',
      {
        ...unschedulable("0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind."),
        more: [claimOf(fast), late],
      },
      `1 node(s) didn't find available persistent volumes to bind.${see}`,
    ],
  ])('for want of %s, says so', async (_, happening, text) => {
    const ready = await told('Ready', happening)
    expect(ready).toContain(' ClaimUnbound: ')
    expect(ready).toContain(text)
  })

  const young = { ...fast, createdAt: now.toISOString() }
  const immediate = '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found'
  const unbound = unschedulable(immediate)

  it.each<[string, Happening]>([
    ['by its class', { ...unbound, more: [claimOf(young), storageClass('fast')] }],
    ['for the node that was chosen', { world: withVolume({}), more: [claimOf({ ...young, node: 'a' }), late] }],
  ])('that is just being made %s, waits without alarm, and looks again', async (_, happening) => {
    const { status, outcome, events } = await reportOf(happening)
    expect(status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ reason: 'RollingOut' })
    expect(status?.services?.[0]?.reason).toBeUndefined()
    expect(outcome).toMatchObject({ kind: 'progressing', retryAfterSeconds: 10 })
    expect((events ?? []).filter(({ type }) => type === 'Warning')).toEqual([])
  })

  it.each([
    [9.5, 'RollingOut', 1],
    [10, 'ClaimUnbound', undefined],
    // Of a clock that is wrong nothing is believed.
    [-10, 'ClaimUnbound', undefined],
  ])('that was made %d s ago: %s', async (seconds, reason, retryAfterSeconds) => {
    const createdAt = new Date(now.getTime() - seconds * 1000).toISOString()
    const { status, outcome } = await reportOf({
      ...unbound,
      more: [claimOf({ ...fast, createdAt }), storageClass('fast')],
    })
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe(reason)
    expect('retryAfterSeconds' in outcome ? outcome.retryAfterSeconds : undefined).toBe(retryAfterSeconds)
  })

  it('that is there is not told by what the scheduler said before', async () => {
    const bound = [claimOf({ storageClass: 'fast' }), storageClass('fast')]
    expect(await told('Ready', { ...unbound, more: bound })).toContain(' RollingOut: ')
    const noneFits = "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind."
    expect(await told('Ready', { ...unschedulable(noneFits), more: bound })).toContain(' RollingOut: ')
    const elsewhere = "0/1 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity."
    expect(await told('Ready', { ...unschedulable(elsewhere), more: bound })).toContain(' Unschedulable: ')
  })

  it('is not told of one that waits for a pod, when it is another one that has none', async () => {
    const two = [data, { ...data, name: 'more', path: '/more' }]
    const world = worldWith([{ ...web, volumes: two }])
    const more = [
      claimOf(fast),
      late,
      claimOf({ ...young, name: 'web-more', storageClass: 'now' }),
      storageClass('now'),
    ]
    expect(await told('Ready', { world, unschedulable: immediate, more })).toContain(' RollingOut: ')
  })

  it('of which nobody here knows, in the words of the scheduler', async () => {
    expect(await told('Ready', { world: worldWith([web]), unschedulable: immediate })).toContain(
      'no node takes the pod: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims; see',
    )
  })

  it('names another cause, when it is one', async () => {
    const full = { ...unschedulable('0/1 nodes are available: 1 Insufficient cpu.'), more: [claimOf(fast), late] }
    expect(await told('Ready', full)).toContain(' Unschedulable: ')
    expect(await told('Ready', { world: withVolume({}), more: [claimOf(fast), late] })).toContain(' RollingOut: ')
  })

  it('for a claim that others make, says what there is', async () => {
    const world = worldWith([{ ...web, volumes: [{ name: 'old', path: '/old', existingClaim: 'shop-data' }] }])
    const missing = { world, more: [claimOf({ name: 'shop-dta' })] }
    expect(await told('Ready', missing)).toContain(
      "ClaimNotFound: Release hello-dev-33333-r1 rolls out; service 'web' is not ready yet: volume 'old' mounts the PersistentVolumeClaim 'shop-data', which namespace 'hello-dev' lacks (there are: shop-dta); see kubectl get pvc -n hello-dev",
    )
    expect((await reportOf(missing)).status?.phase).toBe('Pending')
  })
})

const verdict = (services: readonly object[], spec: object = { replicas: 2 }): Promise<string> =>
  told('ZeroDowntime', { world: worldWith(services, spec) })

describe('ZeroDowntime, before anything is rolled out', () => {
  const shared = { ...data, accessMode: 'ReadWriteMany' }

  it.each<[string, readonly object[], string]>([
    ['two checked replicas', [web], 'True NoInterruption: '],
    ['a volume of many nodes', [{ ...web, volumes: [shared] }], 'True NoInterruption: '],
    [
      'a volume of one node',
      [{ ...web, volumes: [data] }],
      "False ReplicasShareNode: Service 'web': all its replicas run on one node",
    ],
    [
      'no health check',
      [{ ...web, healthCheck: undefined }],
      "False NoHealthCheck: Service 'web': new replicas get requests",
    ],
  ])('with %s', async (_, services, text) => {
    expect(await verdict(services)).toContain(text)
  })

  it('names the worst first, and each service', async () => {
    const onePod = { ...web, name: 'api', image: 'api:1', volumes: [{ ...data, accessMode: 'ReadWriteOncePod' }] }
    const said = await verdict([{ ...web, main: true }, onePod], { replicas: 1 })
    expect(said).toMatch(
      /^False ReplicaStopsFirst: Service 'api': the old replica is stopped.*; besides, nobody is served while .* Service 'web': nobody is served while/,
    )
  })

  it('names each service once, whatever there is to say of it', async () => {
    const said = await verdict([{ ...web, healthCheck: undefined }], { replicas: 1 })
    expect(said).toMatch(
      /^False NoHealthCheck: Service 'web': new replicas get .*; besides, nobody is served while .*\.$/,
    )
    expect(said.split("Service 'web'")).toHaveLength(2)
  })

  it('is not told of an app that answers nobody', async () => {
    expect(await verdict([{ name: 'jobs', type: 'Worker' }])).toContain('undefined')
  })

  it('is of what runs while what is declared cannot be acted on', async () => {
    const good = (await reportOf({ world: worldWith([web], { replicas: 2 }) })).release!
    const world = worldWith([{ ...web, volumes: [data] }], { replicas: 2 })
    const more = [claimOf({ size: '2Gi' })]
    const releases = [renamed(good, (await reportOf({ world })).release!)]
    const happening = { world, releases, isRolledOut: true }
    expect(await told('ZeroDowntime', happening)).toContain('False ReplicasShareNode')
    expect(await told('Accepted', { ...happening, more })).toContain('False VolumeShrunk')
    expect(await told('ZeroDowntime', { ...happening, more })).toContain('True NoInterruption')
  })
})

describe('a change of volumes', () => {
  it('that only makes one larger replaces no replica, any other does', async () => {
    const release = await releaseOf({})
    const changes = async (volume: object): Promise<readonly string[]> =>
      changesBetween(release.spec, { ...release.spec, services: (await releaseOf(volume)).spec.services }).map(
        ({ path, effect }) => `${path} ${effect}`,
      )
    expect(await changes({})).toEqual([])
    expect(await changes({ size: '2Gi' })).toEqual(['services[web].volumes[data].size None'])
    expect(await changes({ size: '2Gi', path: '/d' })).toEqual([
      'services[web].volumes[data].path Restart',
      'services[web].volumes[data].size None',
    ])
    expect(await changes({ name: 'more' })).toContain('services[web].volumes[data] Restart')
  })
})
