import { z } from 'zod'
import { ageColumn, conditionColumn, says, type Kind } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { conditionList, dnsLabel, integer, observedGeneration, text, withRules, type Immutable } from './schema.ts'
import { stackServices } from './service/stackServices.ts'

/** Numbers are 32-bit integers, like all of ours. */
export const largestNumber = 2_147_483_647

const spec = withRules(
  z
    .strictObject({
      stack: text("Name of the AppStack, or app-<app> for an App's inline stack. Permanent.", {
        max: 65,
        min: 1,
        pattern: dnsLabel,
      }),
      number: integer(
        'Counts the revisions of the stack, from 1; the highest is the newest. Set by the operator; one from git needs none. Permanent.',
        1,
        largestNumber,
      ).optional(),
      services: stackServices,
    })
    .meta({ description: 'The content of the revision. Permanent as a whole.' }),
  [
    {
      id: 'immutable-revision',
      rule: 'self == oldSelf',
      message: 'a revision may not be changed; edit its AppStack or App, which publishes a new revision',
      messageExpression: says(
        "a revision of stack '%s' may not be changed; edit its AppStack or App, which publishes a new one, or apply one of another name",
        'oldSelf.stack',
      ),
      reason: 'FieldValueForbidden',
    },
  ],
)

const status = z
  .strictObject({ conditions: conditionList, observedGeneration: observedGeneration.optional() })
  .meta({ description: 'Only while it is being deleted: who still uses it. Written by the operator only.' })

export type AppStackRevisionSpec = Immutable<z.output<typeof spec>>
export type AppStackRevisionStatus = Immutable<z.output<typeof status>>
export type AppStackRevision = ApiObject<AppStackRevisionSpec, AppStackRevisionStatus>

export const appStackRevisionKind: Kind = {
  group,
  version,
  kind: 'AppStackRevision',
  plural: 'appstackrevisions',
  singular: 'appstackrevision',
  namespaced: true,
  description:
    'An immutable snapshot of the services of a stack, by name. Made by the operator when an AppStack or an inline stack changes; may also be applied from git.',
  spec,
  status,
  isStatusRare: true,
  rules: [],
  columns: [
    { name: 'Stack', type: 'string', jsonPath: '.spec.stack', description: 'The AppStack, or app-<app>.' },
    { name: 'Number', type: 'integer', jsonPath: '.spec.number', description: 'Counts the revisions of the stack.' },
    conditionColumn('Reason', 'Ready', 'reason', true),
    conditionColumn('Message', 'Ready', 'message', true),
    ageColumn,
  ],
  selectableFields: ['.spec.stack'],
}
