import { appEnvKind } from '../api/appEnv.ts'
import { appInstanceKind } from '../api/appInstance.ts'
import { appLockKind } from '../api/appLock.ts'
import { appReleaseKind } from '../api/appRelease.ts'
import { appStackRevisionKind } from '../api/appStackRevision.ts'
import { appTaskKind } from '../api/appTask.ts'
import { crdType, namespaceType, persistentVolumeClaimType, secretType } from '../api/builtin.ts'
import type { KubeObject, ResourceType } from '../api/meta.ts'
import type { Controller } from '../runtime/controller.ts'
import { app } from './app/controller.ts'
import { appInstance } from './appInstance/controller.ts'
import { appLock } from './appLock/controller.ts'
import { appRelease } from './appRelease/controller.ts'
import { appEnv } from './appEnv/controller.ts'
import { appStack } from './appStack/controller.ts'
import { appStackRevision } from './appStackRevision/controller.ts'
import { appTask } from './appTask/controller.ts'
import { childTypes } from './informers.ts'

/** The table of contents: every controller of the operator. */
export const controllers: readonly Controller<KubeObject, unknown>[] = [
  appEnv,
  appStack,
  appStackRevision,
  app,
  appInstance,
  appRelease,
  appTask,
  appLock,
] as readonly Controller<KubeObject, unknown>[]

/** Of RBAC, as far as controllers use them themselves. */
export type Verb = 'get' | 'create' | 'patch' | 'delete'

/**
 * What the controllers write, and the few objects they look at live; with the informers (list, watch) and the status
 * and finalizer writes of each controller's own kind these are all the rights the operator asks for (charts/rbac.ts).
 */
export const writes: readonly { readonly type: ResourceType; readonly verbs: readonly Verb[] }[] = [
  { type: appEnvKind, verbs: ['create'] },
  { type: appStackRevisionKind, verbs: ['get', 'create', 'delete'] },
  { type: appReleaseKind, verbs: ['get', 'create', 'delete'] },
  { type: appLockKind, verbs: ['create', 'patch', 'delete'] },
  { type: appTaskKind, verbs: ['get', 'create', 'delete'] },
  { type: { ...appTaskKind, plural: `${appTaskKind.plural}/status` }, verbs: ['patch'] },
  { type: appInstanceKind, verbs: ['get', 'patch'] },
  { type: crdType, verbs: ['get'] },
  { type: namespaceType, verbs: ['get', 'create', 'patch', 'delete'] },
  { type: secretType, verbs: ['get', 'create', 'delete'] },
  { type: persistentVolumeClaimType, verbs: ['get', 'create', 'patch'] },
  ...childTypes
    .filter((type) => ![secretType, persistentVolumeClaimType].includes(type))
    .map((type) => ({ type, verbs: ['get', 'create', 'patch', 'delete'] as const })),
]
