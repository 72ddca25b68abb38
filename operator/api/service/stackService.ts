import { z } from 'zod'
import { says, type Rule } from '../kind.ts'
import { integer, listMap, next, type Immutable, withRules } from '../schema.ts'
import { actions } from './actions.ts'
import { autoscaling, replicasOrAutoscaling } from './autoscaling.ts'
import { files } from './files.ts'
import { healthCheck } from './healthCheck.ts'
import { links } from './links.ts'
import { dependsOn, image, serviceName, serviceType } from './name.ts'
import { ports } from './ports.ts'
import { args, command, security, workingDir } from './process.ts'
import { variablesFrom } from './references.ts'
import { resources } from './resources.ts'
import { rollout } from './rollout.ts'
import { generatedSecretSchema, serviceVariables } from './variables.ts'
import { volumes } from './volumes.ts'

/** What users say about one service of an app. */

const stackServiceSchema = z.strictObject({
  name: serviceName,
  type: serviceType.default('Web').meta({
    description: `Web (answers on ports), Worker (answers on none) or PostgreSQL. The latter runs elsewhere: each AppInstance says where (spec.services[].external). Default Web. ${next}`,
  }),
  main: z
    .boolean()
    .optional()
    .meta({
      description: `Whether image and replicas of the AppInstance mean this service. Default: the first Web, else the first Worker. ${next}`,
    }),
  image: image(
    `Image its replicas run. Default: none; the main service's comes from the AppInstance, which wins over this one. ${next}`,
  ).optional(),
  from: serviceName
    .meta({
      description: `Only of a Worker: a service listed earlier whose image, variables, files, volumes and links it takes; its own win. Its generatedSecrets and security, too. Not with image. ${next}`,
    })
    .optional(),
  command: command(
    `Program and arguments in place of the image's entrypoint; no shell. Default: the image's. ${next}`,
  ).optional(),
  args: args(`Arguments in place of the image's; no shell. Default: the image's. ${next}`).optional(),
  workingDir: workingDir(`Absolute path of the folder the process starts in. Default: the image's. ${next}`).optional(),
  ports: ports.optional(),
  variables: serviceVariables(
    `Environment variables, at most 100; those of the App and the AppInstance of the same name win. Not a Pod's env. ${next}`,
  ).optional(),
  variablesFrom: variablesFrom(
    `Secrets and ConfigMaps all keys of which become environment variables, at most 10. Later ones win, variables win over them. ${next}`,
  ).optional(),
  files: files.optional(),
  volumes: volumes.optional(),
  resources: resources.optional(),
  healthCheck: healthCheck.optional(),
  replicas: integer(
    `How many copies run, 1 to 10. Default 1. The main service's stand in the AppInstance. ${next}`,
    1,
    10,
  ).optional(),
  autoscaling: autoscaling.optional(),
  rollout: rollout.optional(),
  security: security.optional(),
  dependsOn: dependsOn(
    `Services listed earlier, at most 10, that must be rolled out before this one starts or changes. What runs goes on when one of them fails. Default: none. ${next}`,
  ).optional(),
  links: links.optional(),
  generatedSecrets: listMap(
    'Secrets made once for each instance and given as environment variables, at most 20. An upgrade never changes them.',
    generatedSecretSchema,
    { key: 'name', max: 20 },
  ).optional(),
  actions: actions.optional(),
})

export type StackService = Immutable<z.output<typeof stackServiceSchema>>

interface At {
  readonly path: string
}

/** Whether a volume would be mounted where a file is, or below it. */
export function isVolumeInFile(volume: At, file: At): boolean {
  return volume.path === file.path || volume.path.startsWith(`${file.path}/`)
}

/** The same in CEL, of the volume `v` and the file `f`. */
const volumeInFile = "v.path == f.path || v.path.startsWith(f.path + '/')"

/** All that is said of pods: a service that Appstead does not run has none of it. */
const ofPods = [
  'main',
  'image',
  'from',
  'command',
  'args',
  'workingDir',
  'ports',
  'variables',
  'variablesFrom',
  'files',
  'volumes',
  'resources',
  'healthCheck',
  'replicas',
  'autoscaling',
  'rollout',
  'security',
  'dependsOn',
  'links',
  'generatedSecrets',
  'actions',
] as const

const serviceRules: readonly Rule<z.output<typeof stackServiceSchema>>[] = [
  {
    id: 'web-needs-port',
    rule: "self.type != 'Web' || (has(self.ports) && size(self.ports) > 0)",
    message: 'a Web service must have at least one port; one that answers on none is a Worker',
    messageExpression: says(
      "service '%s' is a Web service and must have at least one port, such as {port: 8080}; if it answers on none, write type: Worker",
      'self.name',
    ),
    reason: 'FieldValueRequired',
    holds: (service) => service.type !== 'Web' || (service.ports?.length ?? 0) > 0,
  },
  {
    id: 'worker-has-no-ports',
    rule: "self.type != 'Worker' || !has(self.ports) || size(self.ports) == 0",
    message: 'a Worker may not have ports; a service that answers on ports is a Web service',
    messageExpression: says(
      "service '%s' is a Worker and may not have ports; write type: Web, or remove them",
      'self.name',
    ),
    fieldPath: '.ports',
    reason: 'FieldValueForbidden',
    holds: (service) => service.type !== 'Worker' || (service.ports?.length ?? 0) === 0,
  },
  {
    id: 'from-is-for-workers',
    rule: "!has(self.from) || self.type == 'Worker'",
    message: 'only a Worker may have from',
    messageExpression: says(
      "service '%s' is of type %s and may not have from: '%s'; write type: Worker, or remove it",
      'self.name',
      'self.type',
      'self.from',
    ),
    fieldPath: '.from',
    reason: 'FieldValueForbidden',
    holds: ({ from, type }) => from === undefined || type === 'Worker',
  },
  {
    id: 'from-or-image',
    rule: '!has(self.from) || !has(self.image)',
    message: 'from and image may not stand together: from takes the image of the other service',
    messageExpression: says(
      "service '%s' takes the image of '%s' (from), so image '%s' may not stand here; remove one",
      'self.name',
      'self.from',
      'self.image',
    ),
    fieldPath: '.image',
    reason: 'FieldValueForbidden',
    holds: ({ from, image: own }) => from === undefined || own === undefined,
  },
  {
    id: 'worker-health-check-is-command',
    rule: "self.type != 'Worker' || !has(self.healthCheck) || has(self.healthCheck.command)",
    message: 'the healthCheck of a Worker must be a command: it answers on no port',
    messageExpression: says(
      "service '%s' is a Worker, so its healthCheck must be a command, such as {command: [/healthy]}: it answers on no port; or write type: Web",
      'self.name',
    ),
    fieldPath: '.healthCheck',
    reason: 'FieldValueInvalid',
    holds: ({ type, healthCheck: check }) => type !== 'Worker' || !check || check.command !== undefined,
  },
  {
    id: 'health-check-port-exists',
    rule: "self.type == 'Worker' || !has(self.healthCheck) || has(self.healthCheck.command) || (has(self.ports) && self.ports.exists(p, p.protocol != 'UDP' && (!has(self.healthCheck.port) || p.name == self.healthCheck.port)))",
    message: 'healthCheck.port must be the name of an HTTP or TCP port of the service',
    messageExpression: says(
      "healthCheck.port '%s' must be the name of an HTTP or TCP port of service '%s'; it has: %s",
      "has(self.healthCheck.port) ? self.healthCheck.port : ''",
      'self.name',
      "has(self.ports) ? self.ports.filter(p, p.protocol != 'UDP').map(p, p.name) : []",
    ),
    fieldPath: '.healthCheck',
    reason: 'FieldValueInvalid',
    holds: ({ type, healthCheck: check, ports: list = [] }) =>
      type === 'Worker' ||
      !check ||
      check.command !== undefined ||
      list.some(({ name, protocol }) => protocol !== 'UDP' && name === (check.port ?? name)),
  },
  replicasOrAutoscaling,
  {
    id: 'database-has-no-pods',
    rule: `self.type != 'PostgreSQL' || !(${ofPods.map((field) => `has(self.${field})`).join(' || ')})`,
    message:
      'a service of type PostgreSQL may have name and type alone: it runs elsewhere, and each AppInstance says where (spec.services[].external)',
    messageExpression: says(
      "service '%s' is of type %s, which runs elsewhere: remove %s here, and say where it is in each AppInstance: services: [{name: %s, external: {secretName: …}}]",
      'self.name',
      'self.type',
      `[${ofPods.map((field) => `has(self.${field}) ? '${field}' : ''`).join(', ')}].filter(field, field != '')`,
      'self.name',
    ),
    reason: 'FieldValueForbidden',
    holds: (service) => service.type !== 'PostgreSQL' || ofPods.every((field) => service[field] === undefined),
  },
  {
    id: 'volume-not-in-file',
    rule: `!has(self.files) || !has(self.volumes) || self.files.all(f, !self.volumes.exists(v, ${volumeInFile}))`,
    message: 'the path of a volume may not be that of a file, nor below it',
    messageExpression: says(
      "volume '%s' may not be mounted at or below the path of a file of service '%s'; use another path",
      `self.volumes.filter(v, self.files.exists(f, ${volumeInFile}))[0].path`,
      'self.name',
    ),
    fieldPath: '.volumes',
    reason: 'FieldValueInvalid',
    holds: ({ files: list = [], volumes: mounted = [] }) =>
      list.every((file) => !mounted.some((volume) => isVolumeInFile(volume, file))),
  },
  {
    id: 'main-replicas-in-instance',
    rule: '!has(self.main) || !self.main || !has(self.replicas)',
    message: "the main service's replicas stand in the AppInstance: spec.replicas there",
    messageExpression: says(
      "service '%s' is the main one, so replicas %d may not stand here; write spec.replicas in the AppInstance",
      'self.name',
      'self.replicas',
    ),
    fieldPath: '.replicas',
    reason: 'FieldValueForbidden',
    holds: (service) => service.main !== true || service.replicas === undefined,
  },
]

/** One service of a stack. */
export const stackService = withRules(stackServiceSchema, serviceRules)
