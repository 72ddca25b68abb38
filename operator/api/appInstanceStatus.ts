import { z } from 'zod'
import {
  conditionList,
  dnsLabel,
  dnsSubdomain,
  generation,
  integer,
  listAtomic,
  listMap,
  observedGeneration,
  text,
  time,
  type Immutable,
} from './schema.ts'
import { onSecretChange, replicaChanges, trigger } from './deploy.ts'
import { envType } from './appEnv.ts'
import { actionRecords } from './service/actionRecord.ts'
import { image, serviceName, serviceType } from './service/name.ts'

/** What the operator says of an AppInstance. */

/** For people, in the order in which an instance usually goes through them. */
export const phase = z
  .enum([
    'Pending',
    'Creating',
    'Deploying',
    'Running',
    'Degraded',
    'Down',
    'Invalid',
    'Suspended',
    'Errored',
    'Deleting',
  ])
  .meta({ description: 'The conditions in one word, for people. Programs read the conditions.' })

const count = (description: string, max = 1_000_000) => integer(description, 0, max)
const revisionName = (description: string) => text(description, { max: 253, pattern: dnsSubdomain })
const message = (description: string) => text(description, { max: 1024 })

const stackStatus = z
  .strictObject({
    current: revisionName('AppStackRevision of the release that runs.').optional(),
    latest: revisionName('AppStackRevision that the stack is at now: that of its version, else the newest.').optional(),
    outdated: z.boolean().meta({ description: 'Whether the stack is at another revision than the current one.' }),
  })
  .meta({ description: 'The revision that runs and the one its stack is at.' })

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
    type: serviceType.meta({ description: 'Web, Worker or PostgreSQL.' }),
    ready: count('Replicas that are ready.'),
    desired: count('Replicas there ought to be.'),
    image: image('Image of the release that runs; absent when it runs elsewhere.').optional(),
    external: text('What says where it is, such as Secret/shop-pg-app; only of a service that is given from outside.', {
      max: 264,
    }).optional(),
    reason: text('Why it is not ready, in one CamelCase word; absent when it is.', { max: 128 }).optional(),
    message: message('What is wrong with it, for people; absent when nothing is.').optional(),
  }),
  { key: 'name', max: 50 },
)

const amounts = (description: string) =>
  z
    .strictObject({
      cpu: text('CPU in cores or millicores, such as 250m.', { max: 20 }),
      memory: text('Memory in bytes with a unit, such as 1536Mi.', { max: 30 }),
    })
    .meta({ description })

const cost = z
  .strictObject({
    perReplica: amounts('Of each replica of the main service.'),
    replicas: count('Replicas of the main service there ought to be.'),
    total: amounts('Of all replicas of all services there ought to be.'),
  })
  .meta({ description: 'What is set aside on nodes for the release that runs: the requests of its replicas.' })

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
    path: text('Where, such as services[web].resources.limits.memory.', { max: 512 }),
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
    since: time('Since when.'),
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
    since: time('When it was given up.'),
    nextSteps: listAtomic('What can be done, best first.', text('One way out, with its command.', { max: 512 }), 10),
  })
  .meta({ description: 'Only while Errored: what failed and the ways out.' })

const effective = z
  .strictObject({
    envType: envType.meta({ description: 'Type of its AppEnv.' }),
    autoUpgrade: z.boolean().meta({ description: 'Whether it moves to each new revision of its stack by itself.' }),
    deploy: z
      .strictObject({
        trigger: trigger.meta({ description: 'Whether what is declared is deployed at once or when asked for.' }),
        replicaChanges: replicaChanges.meta({ description: 'When a change of the number of replicas takes effect.' }),
        onSecretChange: onSecretChange.meta({ description: 'When a changed Secret or ConfigMap takes effect.' }),
      })
      .meta({ description: 'When what is declared is deployed.' }),
    deletionPolicy: z.enum(['Retain', 'Delete']).meta({ description: 'What its deletion leaves.' }),
    deletionProtection: z.boolean().meta({ description: 'Whether the API server refuses its deletion.' }),
  })
  .meta({
    description:
      'What counts of what the spec may leave to its AppEnv or to defaults; absent while the AppEnv is missing.',
  })

/** status of an AppInstance. */
export const appInstanceStatus = z
  .strictObject({
    conditions: conditionList,
    observedGeneration,
    deployedGeneration: generation('metadata.generation that the newest rolled-out release was made from.').optional(),
    phase: phase.optional(),
    namespace: text('Namespace it runs in: its own name.', { max: 63, pattern: dnsLabel }).optional(),
    url: text('Where the main service answers; inside the cluster for now.', { max: 512 }).optional(),
    effective: effective.optional(),
    stack: stackStatus.optional(),
    replicas: count('Replicas of the main service that run; what the scale subresource shows.').optional(),
    selector: text("Label selector of the main service's pods; for the scale subresource.", { max: 512 }).optional(),
    counts: counts.optional(),
    services: services.optional(),
    cost: cost.optional(),
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

export type AppInstanceStatus = Immutable<z.output<typeof appInstanceStatus>>
export type AppInstancePhase = NonNullable<AppInstanceStatus['phase']>
