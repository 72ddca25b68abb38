import { z } from 'zod'
import { ageColumn, conditionColumn, says, type Kind } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { maxInstanceName } from './names.ts'
import { actionName } from './service/actions.ts'
import { serviceName } from './service/name.ts'
import {
  conditionList,
  dnsLabel,
  dnsSubdomain,
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
      instanceUid: objectUid(
        'metadata.uid of the AppInstance: then none that is made anew under its name is meant. Default: whichever there is. Permanent.',
      ).optional(),
      type: z.enum(['Create', 'Delete', 'Action']).meta({
        description:
          'What is done. Action, for users: runs an action of a service once. Create and Delete, by the operator alone: making what the first release needs, removing what the instance leaves. Permanent.',
      }),
      action: z
        .strictObject({
          service: serviceName.meta({ description: 'Name of the service. Permanent.' }),
          name: actionName.meta({ description: 'Name of the action, which must have run: Manual. Permanent.' }),
        })
        .optional()
        .meta({
          description:
            "Of type Action: which action is run, as the current release has it, with that release's image and variables. Permanent.",
        }),
      attempt: integer(
        'Of Create and Delete: counts the tries to do this for the instance, from 1. Permanent.',
        1,
        2_147_483_647,
      ).optional(),
      cause: text('Why it is done, for people, such as instance created. Permanent.', { max: textLimit }).optional(),
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
      id: 'action-of-its-type',
      rule: "has(self.action) == (self.type == 'Action')",
      message: 'a task of type Action must say which action, and no other may',
      messageExpression: says(
        "a task of type Action must name an action, such as {service: web, name: seed}, and no other may; this one is of type '%s'",
        'self.type',
      ),
      fieldPath: '.action',
      reason: 'FieldValueInvalid',
      holds: ({ type, action }) => (action !== undefined) === (type === 'Action'),
    },
    {
      id: 'attempt-of-its-type',
      rule: "self.type == 'Action' ? !has(self.attempt) && !has(self.token) : has(self.attempt) && has(self.cause) && has(self.instanceUid)",
      message:
        'a task of type Action may have no attempt and no token; any other must have attempt, cause and instanceUid',
      messageExpression: says(
        "a task of type '%s' %s",
        'self.type',
        "self.type == 'Action' ? 'may have no attempt and no token' : 'must have attempt, cause and instanceUid'",
      ),
      reason: 'FieldValueInvalid',
      holds: ({ type, attempt, token, cause, instanceUid }) =>
        type === 'Action'
          ? attempt === undefined && token === undefined
          : attempt !== undefined && cause !== undefined && instanceUid !== undefined,
    },
    {
      id: 'immutable-task',
      rule: 'self == oldSelf',
      message: 'a task may not be changed; it records what was done',
      messageExpression: says(
        "the task of type '%s' for '%s' may not be changed, as it records what was done; make another one",
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
    instanceUid: objectUid('Of an action: metadata.uid of the AppInstance it is run for.').optional(),
    release: text('Of an action that was started: the AppRelease it runs from.', {
      max: 253,
      pattern: dnsSubdomain,
    }).optional(),
    job: z
      .strictObject({
        name: text('Name of the Job.', { max: 63, pattern: dnsSubdomain }),
        namespace: text('Its namespace: that of the instance.', { max: 63, pattern: dnsLabel }),
        uid: objectUid('Its metadata.uid: no other Job is ever started for the task.'),
      })
      .optional()
      .meta({ description: 'Of an action that was started: the Job that runs it.' }),
  })
  .meta({ description: 'How it went. Written by the operator only.' })

export type AppTaskSpec = Immutable<z.output<typeof spec>>
export type AppTaskStatus = Immutable<z.output<typeof status>>
export type AppTaskStep = NonNullable<AppTaskStatus['steps']>[number]
export type AppTask = ApiObject<AppTaskSpec, AppTaskStatus>

/** The record of a try to create or to remove an instance. */
export type Attempt = AppTask & {
  readonly spec: {
    readonly type: 'Create' | 'Delete'
    readonly instanceUid: string
    readonly attempt: number
    readonly cause: string
  }
}

/** What a user asks for: one run of an action. */
export type ActionTask = AppTask & {
  readonly spec: { readonly type: 'Action'; readonly action: NonNullable<AppTaskSpec['action']> }
}

export function isAttempt(task: AppTask): task is Attempt {
  return task.spec.type !== 'Action'
}

export function isActionTask(task: AppTask): task is ActionTask {
  return task.spec.type === 'Action'
}

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
    'The record of one operation on an AppInstance, step by step; it outlives the instance, and its spec never changes. A user makes one of type Action to have an action of a service run, once. The operator records creations and deletions: while the newest one of these failed, the instance is Errored.',
  spec,
  status,
  rules: [],
  columns: [
    { name: 'Instance', type: 'string', jsonPath: '.spec.instance', description: 'The AppInstance.' },
    { name: 'Type', type: 'string', jsonPath: '.spec.type', description: 'What is done.' },
    { name: 'Action', type: 'string', jsonPath: '.spec.action.name', description: 'The action that is run.' },
    conditionColumn('Result', 'Succeeded', 'status'),
    conditionColumn('Reason', 'Succeeded', 'reason'),
    conditionColumn('Message', 'Succeeded', 'message'),
    {
      name: 'Service',
      type: 'string',
      jsonPath: '.spec.action.service',
      description: 'The service whose action is run.',
      wide: true,
    },
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
