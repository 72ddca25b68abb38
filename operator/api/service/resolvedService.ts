import { z } from 'zod'
import { integer, listMap, text, type Immutable } from '../schema.ts'
import {
  actionArgs,
  actionCommand,
  actionName,
  actionRun,
  maxActions,
  timeoutSeconds as actionTimeout,
} from './actions.ts'
import { autoscalingSchema } from './autoscaling.ts'
import { healthCommand, healthPath, startupSeconds, timeoutSeconds } from './healthCheck.ts'
import { dependsOn, image, podServiceType, serviceName } from './name.ts'
import { portNameOf, portNumber, portProtocol } from './ports.ts'
import { args, command, security, workingDir } from './process.ts'
import { copied } from './references.ts'
import { resourcesSchema } from './resources.ts'
import {
  drainSeconds,
  maxSurge,
  maxUnavailable,
  progressDeadlineSeconds,
  terminationGracePeriodSeconds,
} from './rollout.ts'
import { fieldPath, generatedSecretSchema, variableName, variableValue } from './variables.ts'
import { accessMode, claimName, storageClassName, volumeName, volumeSize } from './volumes.ts'

/** One service of a release after every merge: all that its pods are made from. */

export const resolvedServiceSchema = z.strictObject({
  name: serviceName.meta({ description: 'Name of the service.' }),
  type: podServiceType.meta({ description: 'Web or Worker.' }),
  main: z.boolean().meta({ description: 'Whether it is the main service; true for exactly one.' }),
  image: image('Image its replicas run.'),
  command: command('In place of the entrypoint; absent when the image says it.').optional(),
  args: args('In place of the arguments; absent when the image says them.').optional(),
  workingDir: workingDir('Folder the process starts in; absent when the image says it.').optional(),
  ports: listMap(
    'Ports it answers on.',
    z.strictObject({
      name: portNameOf('Name of the port.'),
      port: portNumber.meta({ description: 'Port the process listens on.' }),
      protocol: portProtocol.meta({ description: 'HTTP, TCP or UDP.' }),
    }),
    { key: 'name', max: 10 },
  ),
  variables: listMap(
    "Environment variables of all sources in their final order, each name once; the platform's APPSTEAD_ ones too.",
    z.strictObject({
      name: text('Name of the environment variable.', { max: 128, min: 1, pattern: variableName }),
      value: variableValue
        .optional()
        .meta({ description: 'The value, as it is; absent when it comes from elsewhere.' }),
      copied: copied.optional(),
      fieldPath: fieldPath.optional().meta({ description: 'What each replica is told about itself.' }),
    }),
    { key: 'name', max: 6000 },
  ),
  files: listMap(
    'Files put into each replica.',
    z.strictObject({
      path: text('Absolute path of the file.', { max: 255, min: 2, pattern: /^\/[^\x00:]+$/ }),
      content: text('Content of the file; absent when it is copied.', { max: 65_536 }).optional(),
      copied: copied.optional(),
    }),
    { key: 'path', max: 1000 },
  ),
  volumes: listMap(
    'Volumes every replica mounts; absent when there are none.',
    z.strictObject({
      name: volumeName('Name of the volume.'),
      path: text('Absolute path of the folder in each replica.', { max: 255, min: 2, pattern: /^\/[^\x00:]+$/ }),
      claim: claimName('Name of its PersistentVolumeClaim.'),
      accessMode: accessMode.meta({ description: 'Who may mount it.' }),
      made: z
        .strictObject({
          service: serviceName.meta({ description: 'Name of the service whose claim it is.' }),
          size: volumeSize('Size that is asked for.'),
          storageClassName: storageClassName(
            "StorageClass it is made with; absent for the cluster's default.",
          ).optional(),
        })
        .optional()
        .meta({ description: 'How the claim is made; absent when others make it.' }),
    }),
    { key: 'name', max: 500 },
  ).optional(),
  sameNode: claimName(
    'Replicas of services with the same word here share a node: only one node can mount a volume of theirs. Absent when they may run anywhere.',
  ).optional(),
  resources: resourcesSchema.meta({ description: 'CPU and memory of each replica.' }),
  healthCheck: z
    .strictObject({
      path: healthPath.meta({ description: 'Path that is asked; absent when something else is.' }).optional(),
      command: healthCommand('Command that is run; absent when there is none.').optional(),
      port: portNameOf('Name of the port that is asked; absent when a command is run.').optional(),
      timeoutSeconds: timeoutSeconds.meta({ description: 'Seconds within which the check must answer.' }),
      startupSeconds: startupSeconds.meta({ description: 'Seconds a new replica may take until the check answers.' }),
    })
    .optional()
    .meta({
      description:
        'How each replica says that it can serve; absent when the stack has none. Without command and path: a connection.',
    }),
  replicas: integer('How many copies run; absent when it scales itself.', 1, 10).optional(),
  autoscaling: autoscalingSchema.optional(),
  rollout: z
    .strictObject({
      maxSurge: maxSurge.meta({ description: 'Replicas there may be above the number; absent: 1.' }).optional(),
      maxUnavailable: maxUnavailable.meta({ description: 'Replicas that may be missing; absent: 0.' }).optional(),
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
  security: security.meta({ description: 'What the process may do; absent when the stack says nothing.' }).optional(),
  dependsOn: dependsOn(
    'Services that must be rolled out before this one starts or changes; absent when there are none.',
  ).optional(),
  restart: integer('Number of the release that restarted it last; absent when none did.', 1, 2_147_483_647).optional(),
  imagePullSecrets: listMap('Secrets its images are pulled with; absent when there are none.', copied, {
    key: 'source',
    max: 10,
  }).optional(),
  generatedSecrets: listMap(
    'Secrets made once for the instance.',
    generatedSecretSchema.extend({
      service: serviceName
        .meta({ description: 'The service that it was made for; absent when it is this one.' })
        .optional(),
    }),
    { key: 'name', max: 1000 },
  ),
  actions: listMap(
    'What runs once with the release, in this order, or by hand; absent when nothing does.',
    z.strictObject({
      name: actionName.meta({ description: 'Name of the action.' }),
      command: actionCommand.meta({ description: 'In place of the entrypoint.' }),
      args: actionArgs.meta({ description: 'Arguments after the command.' }).optional(),
      run: actionRun.meta({ description: 'BeforeDeploy, AfterDeploy, AfterUpgrade or Manual.' }),
      timeoutSeconds: actionTimeout.meta({ description: 'Seconds until it is ended and has failed.' }),
    }),
    { key: 'name', max: maxActions },
  ).optional(),
})

export type ResolvedService = Immutable<z.output<typeof resolvedServiceSchema>>

/** A service of a release as it is to run now: what stands beside the release is decided in render/scaling.ts (ADR 0017). */
export interface RunningService extends ResolvedService {
  /** The replicas that its Deployment is to ask for; undefined leaves them to who scales it. */
  readonly asked: number | undefined
}

export type Action = NonNullable<ResolvedService['actions']>[number]
