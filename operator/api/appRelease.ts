import { z } from 'zod'
import { ageColumn, conditionColumn, says, type Kind } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { maxInstanceName } from './names.ts'
import {
  conditionList,
  dnsLabel,
  dnsSubdomain,
  integer,
  listAtomic,
  listMap,
  observedGeneration,
  text,
  withoutNul,
  withRules,
  type Immutable,
} from './schema.ts'
import {
  dependsOn,
  drainSeconds,
  generatedSecretSchema,
  healthPath,
  healthPortName,
  image,
  portNumber,
  portProtocol,
  progressDeadlineSeconds,
  resourcesSchema,
  serviceName,
  serviceType,
  startupSeconds,
  terminationGracePeriodSeconds,
  timeoutSeconds,
  variableValue,
} from './serviceFields.ts'

const resolvedServiceSchema = z.strictObject({
  name: serviceName.meta({ description: 'Name of the service.' }),
  type: serviceType.meta({ description: 'Web or Worker.' }),
  main: z.boolean().meta({ description: 'Whether it is the main service; true for exactly one.' }),
  image: image('Image its replicas run.'),
  command: listAtomic(
    'In place of the entrypoint.',
    text('One word.', { max: 1024, pattern: withoutNul }),
    32,
  ).optional(),
  args: listAtomic('In place of the arguments.', text('One word.', { max: 4096, pattern: withoutNul }), 64).optional(),
  ports: listMap(
    'Ports it answers on.',
    z.strictObject({
      name: healthPortName('Name of the port.'),
      port: portNumber.meta({ description: 'Port the process listens on.' }),
      protocol: portProtocol.meta({ description: 'HTTP or TCP.' }),
    }),
    { key: 'name', max: 10 },
  ),
  variables: listMap(
    "Environment variables of all sources in their final order, each name once; the platform's APPSTEAD_ ones too.",
    z.strictObject({
      name: text('Name of the environment variable.', { max: 128, min: 1, pattern: /^[A-Za-z_][A-Za-z0-9_]*$/ }),
      value: variableValue.meta({ description: 'The value, as it is.' }),
    }),
    { key: 'name', max: 250 },
  ),
  files: listMap(
    'Files put into each replica.',
    z.strictObject({
      path: text('Absolute path of the file.', { max: 255, min: 2, pattern: /^\/[^\x00:]+$/ }),
      content: text('Content of the file.', { max: 65_536 }),
    }),
    { key: 'path', max: 20 },
  ),
  resources: resourcesSchema.meta({ description: 'CPU and memory of each replica.' }),
  healthCheck: z
    .strictObject({
      path: healthPath.meta({ description: 'Path that is asked.' }),
      port: healthPortName('Name of the port that is asked.'),
      timeoutSeconds: timeoutSeconds.meta({ description: 'Seconds within which the check must answer.' }),
      startupSeconds: startupSeconds.meta({ description: 'Seconds a new replica may take until the check answers.' }),
    })
    .optional()
    .meta({ description: 'How each replica says that it can serve; absent when the stack has none.' }),
  replicas: integer('How many copies run.', 1, 10),
  rollout: z
    .strictObject({
      progressDeadlineSeconds: progressDeadlineSeconds.meta({
        description: 'Seconds without progress until it has failed.',
      }),
      drainSeconds: drainSeconds.meta({
        description: 'Seconds an old replica goes on serving while taken out of traffic.',
      }),
      terminationGracePeriodSeconds: terminationGracePeriodSeconds.meta({
        description: 'Seconds from the beginning of the drain until a replica is killed.',
      }),
    })
    .meta({ description: 'How replicas are replaced.' }),
  dependsOn: dependsOn(
    'Services that must be rolled out before this one starts or changes; absent when there are none.',
  ).optional(),
  generatedSecrets: listMap('Secrets made once for the instance.', generatedSecretSchema, { key: 'name', max: 20 }),
})

const spec = withRules(
  z
    .strictObject({
      instance: text('Name of the AppInstance. Permanent.', { max: maxInstanceName, min: 1, pattern: dnsLabel }),
      instanceUid: text('metadata.uid of the AppInstance. Permanent.', {
        max: 36,
        min: 36,
        pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      }),
      number: integer('Counts the releases of the instance, from 1. Permanent.', 1, 2_147_483_647),
      stackRevision: text('The AppStackRevision it was made from. Permanent.', {
        max: 253,
        min: 1,
        pattern: dnsSubdomain,
      }),
      generation: integer(
        'metadata.generation of the AppInstance it was made from. Permanent.',
        1,
        Number.MAX_SAFE_INTEGER - 1,
      ),
      renderVersion: integer('Version of the rules that make pods from it. Permanent.', 1, 1_000_000),
      cause: text('Why it was made, for people, such as image changed. Permanent.', { max: 1024 }),
      services: listMap(
        'The services after every merge: all that pods are made from. Permanent.',
        resolvedServiceSchema,
        {
          key: 'name',
          min: 1,
          max: 50,
        },
      ),
    })
    .meta({ description: 'What was deployed. Permanent as a whole.' }),
  [
    {
      id: 'immutable-release',
      rule: 'self == oldSelf',
      message: 'a release may not be changed; change the AppInstance, which makes a new one',
      messageExpression: says(
        "release %d of '%s' may not be changed; change the AppInstance, which makes a new one",
        'oldSelf.number',
        'oldSelf.instance',
      ),
      reason: 'FieldValueForbidden',
    },
  ],
)

const status = z
  .strictObject({ conditions: conditionList, observedGeneration })
  .meta({ description: 'How the roll-out went. Written by the operator only.' })

export type ResolvedService = Immutable<z.output<typeof resolvedServiceSchema>>
export type AppReleaseSpec = Immutable<z.output<typeof spec>>
export type AppReleaseStatus = Immutable<z.output<typeof status>>
export type AppRelease = ApiObject<AppReleaseSpec, AppReleaseStatus>

export const appReleaseKind: Kind = {
  group,
  version,
  kind: 'AppRelease',
  plural: 'appreleases',
  singular: 'apprelease',
  namespaced: true,
  description:
    'The record of one deployment of an AppInstance, from which alone its pods are made. Made by the operator; its spec never changes.',
  spec,
  status,
  rules: [],
  columns: [
    { name: 'Instance', type: 'string', jsonPath: '.spec.instance', description: 'The AppInstance.' },
    { name: 'Number', type: 'integer', jsonPath: '.spec.number', description: 'Counts the releases of the instance.' },
    {
      name: 'Revision',
      type: 'string',
      jsonPath: '.spec.stackRevision',
      description: 'AppStackRevision it was made from.',
    },
    conditionColumn('Result', 'Succeeded', 'status'),
    conditionColumn('Reason', 'Succeeded', 'reason'),
    conditionColumn('Message', 'Succeeded', 'message', true),
    { name: 'Cause', type: 'string', jsonPath: '.spec.cause', description: 'Why it was made.', wide: true },
    ageColumn,
  ],
  selectableFields: ['.spec.instance'],
}
