import { z } from 'zod'
import { ageColumn, conditionColumn, says, type Column, type Kind, type RootSelf, type Rule } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { maxAppName, maxInstanceName, nameRules } from './names.ts'
import {
  conditionList,
  dnsLabel,
  dnsSubdomain,
  generation,
  immutable,
  integer,
  listAtomic,
  listMap,
  next,
  observedGeneration,
  text,
  withRules,
  type Immutable,
} from './schema.ts'
import { actionRecords } from './service/actionRecord.ts'
import { image, serviceName } from './service/name.ts'
import { serviceOverrides } from './service/override.ts'
import { variables } from './service/variables.ts'

/** Namespaces of the cluster and of the operator itself. */
const reservedNames = ['default', 'kube-system', 'kube-public', 'kube-node-lease', 'appstead-system']

const stackChoice = withRules(
  z
    .strictObject({
      revision: text(`Name of the AppStackRevision to run, such as shop-1.4 or shop-r4-1a2b3c. ${next}`, {
        max: 253,
        min: 1,
        pattern: dnsSubdomain,
      }).optional(),
      autoUpgrade: z
        .boolean()
        .optional()
        .meta({
          description: `Whether it moves to each new revision of its stack by itself. Default: that of its AppEnv, else false; never where the AppEnv is of type prod. ${next}`,
        }),
    })
    .meta({
      description: `Which revision of the stack it runs. Default: that of the newest AppRelease, at first the newest revision. ${next}`,
    }),
  [
    {
      id: 'revision-or-auto-upgrade',
      rule: '!has(self.revision) || !has(self.autoUpgrade) || !self.autoUpgrade',
      message: 'revision and autoUpgrade: true may not both be set: one pins a revision, the other follows the newest',
      messageExpression: says(
        "revision '%s' and autoUpgrade: true may not both be set: one pins a revision, the other follows the newest; remove one",
        'self.revision',
      ),
      fieldPath: '.autoUpgrade',
      reason: 'FieldValueInvalid',
      holds: ({ revision, autoUpgrade }) => revision === undefined || autoUpgrade !== true,
    },
  ],
)

const deploy = z
  .strictObject({
    trigger: z.enum(['Automatic', 'Manual']).optional().meta({
      description:
        'Automatic (default): a change that needs a deployment is deployed at once. Manual: it waits until the annotation appstead.dev/deploy asks; the first release is made at once all the same. Takes effect at once.',
    }),
  })
  .meta({ description: 'When what is declared is deployed. Takes effect at once.' })

const spec = z
  .strictObject({
    app: withRules(
      text('Name of the App in this namespace. Permanent; metadata.name begins with it and a dash.', {
        max: maxAppName,
        min: 1,
        pattern: dnsLabel,
      }),
      [immutable('immutable-app', 'spec.app')],
    ),
    env: withRules(text('Name of the AppEnv. Permanent.', { max: 63, min: 1, pattern: dnsLabel }), [
      immutable('immutable-env', 'spec.env'),
    ]),
    stack: stackChoice.optional(),
    image: image(
      `Image of the main service, such as ghcr.io/acme/shop:1.4. Default: that of the stack. ${next}`,
    ).optional(),
    replicas: integer(
      `How many copies of the main service run, 1 to 10. Default 1. A change of it alone waits for the next deployment.`,
      1,
      10,
    ).default(1),
    services: serviceOverrides.optional(),
    variables: variables(
      `Environment variables for every service, at most 100; win over all others of the same name. Not a Pod's env. ${next}`,
    ).optional(),
    deploy: deploy.optional(),
    deletionProtection: z.boolean().optional().meta({
      description:
        'Whether the API server refuses to delete this AppInstance, also with its project. Default: false. Takes effect at once.',
    }),
    creationDeadlineSeconds: integer(
      'For how long what hinders the creation is waited for, such as a quota, before the instance is Errored: 30 to 86400. Default 600. Takes effect at once.',
      30,
      86_400,
    ).default(600),
    deletionDeadlineSeconds: integer(
      'For how long what is removed may take to go before the instance is Errored: 30 to 86400. Default 600. Takes effect at once.',
      30,
      86_400,
    ).default(600),
  })
  .meta({ description: 'What should run. The operator never writes it.' })

const phase = z
  .enum(['Pending', 'Creating', 'Deploying', 'Running', 'Degraded', 'Down', 'Invalid', 'Errored', 'Deleting'])
  .meta({ description: 'The conditions in one word, for people. Programs read the conditions.' })

const count = (description: string, max = 1_000_000) => integer(description, 0, max)
const revisionName = (description: string) => text(description, { max: 253, pattern: dnsSubdomain })
const message = (description: string) => text(description, { max: 1024 })

const stackStatus = z
  .strictObject({
    current: revisionName('AppStackRevision of the release that runs.').optional(),
    latest: revisionName('Newest AppStackRevision of the stack.').optional(),
    outdated: z.boolean().meta({ description: 'Whether there is a newer revision than the current one.' }),
  })
  .meta({ description: 'The revision that runs and the newest one.' })

const counts = z
  .strictObject({
    total: count('Replicas there are; those being removed are left out.'),
    running: count('Replicas that are ready.'),
    pending: count('Replicas that are not ready yet.'),
    failed: count('Replicas that crash, cannot get their image or have failed.'),
    summary: text('Ready replicas of those there ought to be, such as 3/3; for people.', { max: 20 }),
  })
  .meta({ description: 'Replicas of all services together.' })

const services = listMap(
  'How each service stands.',
  z.strictObject({
    name: serviceName.meta({ description: 'Name of the service.' }),
    ready: count('Replicas that are ready.'),
    desired: count('Replicas there ought to be.'),
    image: image('Image of the release that runs.'),
    reason: text('Why it is not ready, in one CamelCase word; absent when it is.', { max: 128 }).optional(),
    message: message('What is wrong with it, for people; absent when nothing is.').optional(),
  }),
  { key: 'name', max: 50 },
)

const currentRelease = z
  .strictObject({
    name: revisionName('Name of the AppRelease.'),
    number: integer('Its number, counted from 1 for each instance.', 1, 2_147_483_647),
    stackRevision: revisionName('The AppStackRevision it was made from.'),
    image: image('Image of its main service.'),
  })
  .meta({ description: 'The release that runs: the newest one, or the last good one when that failed.' })

const requests = z
  .strictObject({
    deploy: text('Value of the annotation appstead.dev/deploy.', { max: 256 }).optional(),
    restart: text('Value of the annotation appstead.dev/restart.', { max: 256 }).optional(),
  })
  .meta({ description: 'The requests that were handled last: the newest release was made with them.' })

const failedRelease = z
  .strictObject({
    name: revisionName('Name of the AppRelease.'),
    number: integer('Its number.', 1, 2_147_483_647),
    reason: text('Why it failed, in one CamelCase word.', { max: 128 }),
    message: message('Why it failed, as it was then.'),
  })
  .meta({
    description:
      'Only while what is declared is what a release failed with: that release. It is not tried again by itself.',
  })

const pendingChanges = listMap(
  'Accepted changes that wait for the next deployment, and what it will do with them.',
  z.strictObject({
    path: text('Where, such as services[web].replicas.', { max: 256 }),
    from: text('What runs now; absent when it is new.', { max: 1024 }).optional(),
    to: text('What is wanted; absent when it is removed.', { max: 1024 }).optional(),
    effect: z.enum(['Restart', 'Scale', 'None']).meta({
      description: 'What it does to replicas: Restart replaces them, Scale adds or removes some, None leaves them.',
    }),
    source: text('The object that asks for it, such as AppInstance/shop-prod.', { max: 256 }),
  }),
  { key: 'path', max: 100 },
)

const blocked = listMap(
  'What may not be done now; absent when everything may. REFERENCE.md says which operation is allowed when.',
  z.strictObject({
    operation: text('Name of the operation, as in the table of REFERENCE.md.', { max: 64, min: 1 }),
    reason: text('Why not: the reason of a condition, or Protected.', { max: 128, min: 1 }),
    since: z.string().meta({ format: 'date-time', description: 'Since when.' }),
  }),
  { key: 'operation', max: 32 },
)

const error = z
  .strictObject({
    class: z.enum(['Creation', 'Cleanup']).meta({ description: 'What could not be finished.' }),
    reason: text('Why, in one CamelCase word; that of the condition Stalled.', { max: 128 }),
    message: message('What failed, on which object, and why.'),
    task: text('The AppTask that records it.', { max: 253, pattern: dnsSubdomain }).optional(),
    failedStep: text('The step of that AppTask that failed.', { max: 63 }).optional(),
    since: z.string().meta({ format: 'date-time', description: 'When it was given up.' }),
    nextSteps: listAtomic('What can be done, best first.', text('One way out, with its command.', { max: 512 }), 10),
  })
  .meta({ description: 'Only while Errored: what failed and the ways out.' })

const status = z
  .strictObject({
    conditions: conditionList,
    observedGeneration,
    deployedGeneration: generation('metadata.generation that the newest rolled-out release was made from.').optional(),
    phase: phase.optional(),
    namespace: text('Namespace it runs in: its own name.', { max: 63, pattern: dnsLabel }).optional(),
    url: text('Where the main service answers; inside the cluster for now.', { max: 512 }).optional(),
    stack: stackStatus.optional(),
    replicas: count('Replicas of the main service that run; what the scale subresource shows.').optional(),
    selector: text("Label selector of the main service's pods; for the scale subresource.", { max: 512 }).optional(),
    counts: counts.optional(),
    services: services.optional(),
    currentRelease: currentRelease.optional(),
    failedRelease: failedRelease.optional(),
    requests: requests.optional(),
    releaseSummary: text('Number of the release that runs, and of the one that failed, such as 41 (42 failed).', {
      max: 64,
    }).optional(),
    imageSummary: text('Image of the main service that runs, and the one that is asked for, if that is another one.', {
      max: 1040,
    }).optional(),
    actions: actionRecords('The actions of the newest release that were started, in their order.').optional(),
    pendingChanges: pendingChanges.optional(),
    pendingSummary: text('The paths of the pending changes in one word, such as image,replicas; for people.', {
      max: 128,
    }).optional(),
    blocked: blocked.optional(),
    error: error.optional(),
  })
  .meta({ description: 'How it stands. Written by the operator only.' })

export type AppInstanceSpec = Immutable<z.output<typeof spec>>
export type AppInstanceStatus = Immutable<z.output<typeof status>>
export type AppInstancePhase = NonNullable<AppInstanceStatus['phase']>
export type AppInstance = ApiObject<AppInstanceSpec, AppInstanceStatus>

const rules: readonly Rule<RootSelf<AppInstanceSpec>>[] = [
  {
    id: 'name-begins-with-app',
    rule: "self.metadata.name.startsWith(self.spec.app + '-')",
    message: 'metadata.name must begin with spec.app and a dash',
    messageExpression: says(
      "metadata.name '%s' must begin with spec.app and a dash, such as '%s-dev'",
      'self.metadata.name',
      'self.spec.app',
    ),
    fieldPath: '.metadata.name',
    reason: 'FieldValueInvalid',
    holds: ({ metadata, spec: { app } }) => metadata.name.startsWith(`${app}-`),
  },
  ...nameRules({ kind: 'AppInstance', max: maxInstanceName, why: "it is the name of the instance's namespace" }),
  {
    id: 'reserved-instance-name',
    rule: `!self.metadata.name.startsWith('kube-') && !(self.metadata.name in [${reservedNames.map((name) => `'${name}'`).join(', ')}])`,
    message: `metadata.name may not begin with kube- and may not be one of ${reservedNames.join(', ')}`,
    messageExpression: says(
      `metadata.name '%s' is a namespace of the cluster or the operator (kube-..., ${reservedNames.filter((name) => !name.startsWith('kube-')).join(', ')}); use another name`,
      'self.metadata.name',
    ),
    fieldPath: '.metadata.name',
    reason: 'FieldValueForbidden',
    holds: ({ metadata: { name } }) => !name.startsWith('kube-') && !reservedNames.includes(name),
  },
]

const statusColumn = (name: string, field: string, description: string, more: Partial<Column> = {}): Column => ({
  name,
  type: 'string',
  jsonPath: `.status.${field}`,
  description,
  ...more,
})

export const appInstanceKind: Kind = {
  group,
  version,
  kind: 'AppInstance',
  plural: 'appinstances',
  singular: 'appinstance',
  namespaced: true,
  description:
    'One deployment of an App, isolated in a namespace of its own that has the same name as the AppInstance. Lives in the namespace of its App.',
  spec,
  status,
  rules,
  columns: [
    { name: 'Env', type: 'string', jsonPath: '.spec.env', description: 'The AppEnv.' },
    statusColumn('Phase', 'phase', 'The conditions in one word.'),
    conditionColumn('Ready', 'Ready', 'status'),
    conditionColumn('Available', 'Available', 'status'),
    statusColumn('Replicas', 'counts.summary', 'Ready replicas of all replicas.'),
    statusColumn('Rev', 'stack.current', 'AppStackRevision that runs.'),
    statusColumn('Release', 'releaseSummary', 'Number of the release that runs, and of the one that failed.'),
    statusColumn('URL', 'url', 'Where the main service answers.'),
    statusColumn('Image', 'imageSummary', 'Image of the main service, and the one that is asked for.', { wide: true }),
    statusColumn('Pending', 'pendingSummary', 'Changes that wait for the next deployment.', { wide: true }),
    conditionColumn('Reason', 'Ready', 'reason', true),
    conditionColumn('Message', 'Ready', 'message', true),
    ageColumn,
  ],
  selectableFields: ['.status.phase', '.spec.app', '.spec.env'],
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
}
