import { describe, expect, it } from '@jest/globals'
import { crdType } from '../../operator/api/builtin.ts'
import { objectPath } from '../../operator/kube/paths.ts'
import { textOf } from './double/json.ts'
import { servedKind } from './double/served.ts'
import { metaOf } from './double/writes.ts'
import { play } from './run/play.ts'
import { instance, project, scenarioOf, type Scenario } from './run/scenarios.ts'
import type { World } from './run/world.ts'

const kinds = ['Namespace', 'Deployment', 'Pod', 'Service', 'Secret', 'ConfigMap', 'NetworkPolicy']

/** Everything that runs for the instance, with its resourceVersions: nothing of it may change. */
function workloads({ double }: World): string[] {
  return kinds.flatMap((kind) =>
    double.store
      .list(servedKind(kind))
      .filter(([key]) => key === `/${instance}` || key.startsWith(`${instance}/`))
      .map(([key, object]) => `${kind} ${key} ${metaOf(object).resourceVersion}`),
  )
}

const crdName = 'appinstances.appstead.dev'
const crdPath = objectPath(crdType, { namespace: '', name: crdName })

/** The instance runs; then an admin removes the CRD, and with it the API server all instances. */
const crdRemoved: Scenario = {
  ...scenarioOf('image'),
  steps: [
    {
      does: 'remove the CRD',
      when: 'settled',
      act: async ({ admin }) => expect((await admin({ method: 'DELETE', path: crdPath })).status).toBe(200),
    },
  ],
}

describe('when the CRD of instances is removed', () => {
  it.each([1, 2, 3, 4, 5])('workloads live on, untouched, and nothing holds the CRD (seed %i)', async (seed) => {
    let world: World | undefined
    let before: string[] = []
    const ending = await play(crdRemoved, {
      seed,
      onWorld: (each) => {
        world = each
        before = workloads(each)
      },
    })
    expect(before.length).toBeGreaterThan(10)
    expect(workloads(world!)).toEqual(before)
    expect(ending.counts).toEqual({})
    expect(ending.violations).toEqual([])
    expect(world!.double.store.get(servedKind('CustomResourceDefinition'), `/${crdName}`)).toBeUndefined()
    expect(textOf(ending.state)).not.toContain(`appinstances ${project}/`)
  })
})
