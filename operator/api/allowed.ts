import { configMapType, secretType } from './builtin.ts'
import type { ResourceType } from './meta.ts'

/** Secrets and ConfigMaps of projects that apps may refer to: watched by themselves. */

export const allowedSecretType: ResourceType = { ...secretType, view: 'allowed' }
export const allowedConfigMapType: ResourceType = { ...configMapType, view: 'allowed' }
