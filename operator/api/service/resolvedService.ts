import { z } from 'zod'
import { integer, listAtomic, listMap, text, withoutNul, type Immutable } from '../schema.ts'
import { healthPath, startupSeconds, timeoutSeconds } from './healthCheck.ts'
import { dependsOn, image, serviceName, serviceType } from './name.ts'
import { portNameOf, portNumber, portProtocol } from './ports.ts'
import { resourcesSchema } from './resources.ts'
import { drainSeconds, progressDeadlineSeconds, terminationGracePeriodSeconds } from './rollout.ts'
import { fieldPath, generatedSecretSchema, variableName, variableValue } from './variables.ts'

/** One service of a release after every merge: all that its pods are made from. */

export const resolvedServiceSchema = z.strictObject({
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
      name: portNameOf('Name of the port.'),
      port: portNumber.meta({ description: 'Port the process listens on.' }),
      protocol: portProtocol.meta({ description: 'HTTP or TCP.' }),
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
      fieldPath: fieldPath.optional().meta({ description: 'What each replica is told about itself.' }),
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
      port: portNameOf('Name of the port that is asked.'),
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

export type ResolvedService = Immutable<z.output<typeof resolvedServiceSchema>>
