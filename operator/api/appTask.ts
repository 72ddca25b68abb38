import { z } from 'zod'
import { ageColumn, conditionColumn, says, type Kind } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { maxInstanceName } from './names.ts'
import {
  conditionList,
  dnsLabel,
  generation,
  integer,
  listMap,
  objectUid,
  observedGeneration,
  text,
  time,
  withRules,
  type Immutable,
} from './schema.ts'
import { shortened } from './text.ts'

/** Of causes, tokens and messages. */
const textLimit = 1024

const spec = withRules(
  z
    .strictObject({
      instance: text('Name of the AppInstance. Permanent.', { max: maxInstanceName, min: 1, pattern: dnsLabel }),
      instanceUid: objectUid('metadata.uid of the AppInstance. Permanent.'),
      type: z.enum(['Create', 'Delete']).meta({
        description:
          'What is done: Create makes what the first release needs, Delete removes what the instance leaves. Permanent.',
      }),
      attempt: integer('Counts the tries to do this for the instance, from 1. Permanent.', 1, 2_147_483_647),
      cause: text('Why it is done, for people, such as instance created. Permanent.', { max: textLimit }),
      token: text(
        'The value of the annotation appstead.dev/retry when it began: it asks for no further try. Permanent.',
        {
          max: textLimit,
        },
      ).optional(),
    })
    .meta({ description: 'What is to be done. Permanent as a whole.' }),
  [
    {
      id: 'immutable-task',
      rule: 'self == oldSelf',
      message: 'a task may not be changed; it records what was done',
      messageExpression: says(
        "attempt %d of task '%s' of '%s' may not be changed; it records what was done",
        'oldSelf.attempt',
        'oldSelf.type',
        'oldSelf.instance',
      ),
      reason: 'FieldValueForbidden',
    },
  ],
)

const steps = listMap(
  'What it consists of, in order.',
  z.strictObject({
    name: text('Name of the step, such as namespace.', { max: 63, min: 1, pattern: dnsLabel }),
    state: z.enum(['Pending', 'Running', 'Succeeded', 'Failed']).meta({ description: 'How far it is.' }),
    startedAt: time('When it began.').optional(),
    finishedAt: time('When it ended.').optional(),
    attempts: integer('How often it was tried, as far as the process counted that tells of it.', 0, 1_000_000),
    message: text('What hinders it, or hindered it last; absent when nothing did.', { max: textLimit }).optional(),
  }),
  { key: 'name', max: 32 },
)

const status = z
  .strictObject({
    conditions: conditionList,
    observedGeneration,
    instanceGeneration: generation('metadata.generation of the AppInstance that was acted on last.').optional(),
    steps: steps.optional(),
  })
  .meta({ description: 'How it went. Written by the operator only.' })

export type AppTaskSpec = Immutable<z.output<typeof spec>>
export type AppTaskStatus = Immutable<z.output<typeof status>>
export type AppTaskStep = NonNullable<AppTaskStatus['steps']>[number]
export type AppTask = ApiObject<AppTaskSpec, AppTaskStatus>

/** The value of an annotation as a Task records it. */
export function tokenOf(value: string): string {
  return shortened(value, textLimit)
}

export const appTaskKind: Kind = {
  group,
  version,
  kind: 'AppTask',
  plural: 'apptasks',
  singular: 'apptask',
  namespaced: true,
  description:
    'The record of one operation on an AppInstance, step by step; it outlives the instance. Made by the operator; its spec never changes. A creation or a deletion that failed for good is recorded here: while its newest one failed, the instance is Errored.',
  spec,
  status,
  rules: [],
  columns: [
    { name: 'Instance', type: 'string', jsonPath: '.spec.instance', description: 'The AppInstance.' },
    { name: 'Type', type: 'string', jsonPath: '.spec.type', description: 'What is done.' },
    conditionColumn('Result', 'Succeeded', 'status'),
    conditionColumn('Reason', 'Succeeded', 'reason'),
    conditionColumn('Message', 'Succeeded', 'message'),
    {
      name: 'Attempt',
      type: 'integer',
      jsonPath: '.spec.attempt',
      description: 'Counts the tries to do this for the instance.',
      wide: true,
    },
    { name: 'Cause', type: 'string', jsonPath: '.spec.cause', description: 'Why it is done.', wide: true },
    ageColumn,
  ],
  selectableFields: ['.spec.instance'],
}
