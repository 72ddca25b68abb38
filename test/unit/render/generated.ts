import * as fc from 'fast-check'
import type { AppEnv } from '../../../operator/api/appEnv.ts'
import type { AppInstance, AppInstanceSpec } from '../../../operator/api/appInstance.ts'
import { appInstanceKind } from '../../../operator/api/appInstance.ts'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import { appStackKind } from '../../../operator/api/appStack.ts'
import type { AppStackSpec } from '../../../operator/api/appStack.ts'
import { makeRelease } from '../../../operator/render/release.ts'
import { resolve } from '../../../operator/render/resolve.ts'
import type { StackService } from '../../../operator/api/stackService.ts'
import { goodObjects } from '../../support/arbitraryObjects.ts'

/** Inputs of a release, generated from the schemas of the API and stored as the server stores them. */

export interface Input {
  readonly instance: AppInstance
  readonly env: AppEnv
  readonly services: readonly StackService[]
}

const env = { metadata: { name: 'dev' }, spec: { type: 'dev' } } as AppEnv

/** Frozen all the way down: who writes to one throws. */
export const inputs: fc.Arbitrary<Input> = fc
  .tuple(goodObjects(appStackKind), goodObjects(appInstanceKind))
  .map(([stack, instance]) => ({
    stack: appStackKind.spec.safeParse(stack.spec).data as AppStackSpec | undefined,
    spec: appInstanceKind.spec.safeParse(instance.spec).data as AppInstanceSpec | undefined,
  }))
  .filter(({ stack, spec }) => stack !== undefined && spec !== undefined)
  .map(({ stack, spec }) => frozen({ env, services: stack!.services, instance: instanceWith(spec!) }))

function instanceWith(spec: AppInstanceSpec): AppInstance {
  const uid = '33333333-3333-4333-8333-333333333333'
  return {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { name: 'a-dev', namespace: 'team', uid, generation: 1 },
    spec: { ...spec, app: 'a', env: 'dev' },
  }
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

export function releaseOf(input: Input): AppRelease {
  return makeRelease(input.instance, { services: resolve(input).services, stackRevision: 'a-r1-aaaaaa' }, undefined)
}
