import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { reportOf, worldWith } from '../controllers/instance.ts'

const data = { name: 'data', path: '/data', size: '2Gi', accessMode: 'ReadWriteMany' }
const old = { name: 'media', path: '/media', existingClaim: 'media' }
const web = { name: 'web', ports: [{ port: 8080 }], volumes: [data, old] }

/** What is wrong when the instance says this of its services, or the App this of those in environments of type dev. */
async function objectionTo(services: readonly object[], defaults: readonly object[] = []): Promise<string> {
  const world = worldWith([web], { services })
  const { app } = world
  const { spec } = app as KubeObject & { readonly spec: object }
  const withDefaults = { ...app, spec: { ...spec, defaults: [{ envTypes: ['dev'], services: defaults }] } }
  const { outcome } = await reportOf({ world: { ...world, app: withDefaults as KubeObject } })
  return outcome.kind === 'settled' || outcome.kind === 'progressing' ? '' : `${outcome.reason} ${outcome.message}`
}

describe('what is said otherwise of volumes', () => {
  it.each([
    [
      [{ name: 'dat', size: '3Gi' }],
      "VolumeNotFound spec.services[web].volumes[dat] is an override of no volume: service 'web' of the stack revision has no volume 'dat'; did you mean 'data'?",
    ],
    [[{ name: 'elsewhere', size: '3Gi' }], 'it has: data, media'],
    [
      [{ name: 'media', storageClassName: 'fast' }],
      "VolumeConflict spec.services[web].volumes[media].storageClassName is 'fast', but the volume mounts the claim 'media'",
    ],
  ])('%j of an instance is objected to', async (volumes, says) => {
    expect(await objectionTo([{ name: 'web', volumes }])).toContain(says)
  })

  it('by an App is objected to only where a name is nearly right: another revision may have it', async () => {
    expect(await objectionTo([], [{ name: 'wep', replicas: 2 }])).toContain(
      "has no service 'wep' there; did you mean 'web'?",
    )
    expect(await objectionTo([], [{ name: 'web', volumes: [{ name: 'date', size: '3Gi' }] }])).toContain(
      "VolumeNotFound spec.defaults (dev).services[web].volumes[date] of App 'hello': the stack revision has no volume 'date' there; did you mean 'data'?",
    )
    expect(await objectionTo([], [{ name: 'newcomer', replicas: 2 }])).toBe('')
    expect(await objectionTo([], [{ name: 'web', replicas: 2 }])).toContain(
      "MainServiceOverridden spec.defaults (dev).services[web].replicas of App 'hello' is 2",
    )
  })
})
