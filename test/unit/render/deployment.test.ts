import { describe, expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import { ownerOf } from '../../../operator/render/appInstance.ts'
import { makeDeployment } from '../../../operator/render/deployment.ts'
import { inputs, releaseOf } from './generated.ts'

jest.setTimeout(120_000)

describe('a replica', () => {
  it('that nobody can ask counts when it has run for 5 s; one with a health check when that says so', () => {
    const seen = new Set<boolean>()
    fc.assert(
      fc.property(inputs, (input) => {
        for (const service of releaseOf(input).spec.services) {
          const { spec } = makeDeployment(ownerOf(input.instance), { ...service, asked: service.replicas })
            .object as unknown as Made
          const [container] = spec.template.spec.containers
          const isAsked = container?.readinessProbe !== undefined
          seen.add(isAsked)
          expect(spec.minReadySeconds).toBe(isAsked ? undefined : 5)
        }
      }),
    )
    expect(seen).toEqual(new Set([true, false]))
  })
})

interface Made {
  readonly spec: {
    readonly minReadySeconds?: number
    readonly template: { readonly spec: { readonly containers: readonly { readonly readinessProbe?: object }[] } }
  }
}
