import { expect, it } from '@jest/globals'
import type { AppEnv } from '../../../operator/api/appEnv.ts'
import type { AppInstance } from '../../../operator/api/appInstance.ts'
import { deletionPolicyOf, deletionPolicySource } from '../../../operator/render/resolve/deletion.ts'

const instance = (deletionPolicy?: string): AppInstance =>
  ({ spec: { env: 'live', ...(deletionPolicy !== undefined && { deletionPolicy }) } }) as AppInstance
const env = (type: string, defaults?: object): AppEnv => ({ spec: { type, ...(defaults && { defaults }) } }) as AppEnv

it.each([
  ['Delete', 'spec.deletionPolicy', instance('Delete'), env('prod', { deletionPolicy: 'Retain' })],
  ['Retain', 'spec.deletionPolicy', instance('Retain'), env('dev')],
  ['Delete', "spec.defaults.deletionPolicy of AppEnv 'live'", instance(), env('prod', { deletionPolicy: 'Delete' })],
  ['Retain', "spec.defaults.deletionPolicy of AppEnv 'live'", instance(), env('dev', { deletionPolicy: 'Retain' })],
  ['Retain', "by default, as AppEnv 'live' is of type prod", instance(), env('prod', {})],
  ['Delete', "by default, as AppEnv 'live' is of type dev", instance(), env('dev')],
  ['Retain', "by default, as AppEnv 'live' is gone", instance(), undefined],
])('a deletion that leaves as in %s is decided by %s', (policy, source, ofInstance, ofEnv) => {
  expect([deletionPolicyOf(ofInstance, ofEnv), deletionPolicySource(ofInstance, ofEnv)]).toEqual([policy, source])
})
