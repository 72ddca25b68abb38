import { z } from 'zod'
import { ageColumn, says, type Kind, type RootSelf, type Rule } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { maxInstanceName } from './names.ts'
import { dnsLabel, listMap, objectUid, text, time, type Immutable } from './schema.ts'

/** The name of the one AppLock of a project. */
export const locksName = 'locks'

/** Of instances in one AppLock; with as many the object has half of the size that etcd takes. */
export const maxLocked = 2000

const spec = z
  .strictObject({
    locked: listMap(
      'The AppInstances of this project that are locked now. Takes effect at once.',
      z.strictObject({
        name: text('Name of the AppInstance.', { max: maxInstanceName, min: 1, pattern: dnsLabel }),
        uid: objectUid('metadata.uid of the AppInstance: one made anew under the name is not locked.'),
        class: z.enum(['Creation', 'Cleanup']).meta({
          description: 'What could not be finished: Creation of what it needs, or Cleanup after its deletion.',
        }),
        reason: text('Why, in one CamelCase word; that of the condition OperationsBlocked.', { max: 128, min: 1 }),
        since: time('Since when it is locked.'),
      }),
      { key: 'name', max: maxLocked },
    ),
  })
  .meta({ description: 'What is locked.' })

export type AppLockSpec = Immutable<z.output<typeof spec>>
export type AppLock = ApiObject<AppLockSpec, never>
export type LockedInstance = AppLockSpec['locked'][number]

const rules: readonly Rule<RootSelf<AppLockSpec>>[] = [
  {
    id: 'one-lock',
    rule: `self.metadata.name == '${locksName}'`,
    message: `the AppLock of a project must be called ${locksName}`,
    messageExpression: says(
      `metadata.name '%s' must be '${locksName}': a project has one AppLock, which the operator writes`,
      'self.metadata.name',
    ),
    fieldPath: '.metadata.name',
    reason: 'FieldValueInvalid',
    holds: ({ metadata: { name } }) => name === locksName,
  },
]

export const appLockKind: Kind = {
  group,
  version,
  kind: 'AppLock',
  plural: 'applocks',
  singular: 'applock',
  namespaced: true,
  description:
    "The AppInstances of a project that are Errored now, for the API server's own policies. One object called locks, while there is one to be locked; written by the operator only.",
  spec,
  status: null,
  isRecord: true,
  rules,
  columns: [ageColumn],
  selectableFields: [],
}
