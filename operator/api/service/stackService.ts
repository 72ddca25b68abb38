import { z } from 'zod'
import { says, type Rule } from '../kind.ts'
import { integer, listMap, next, withRules, type Immutable } from '../schema.ts'
import { actions } from './actions.ts'
import { autoscaling, replicasOrAutoscaling } from './autoscaling.ts'
import { files } from './files.ts'
import { healthCheck } from './healthCheck.ts'
import { dependsOn, image, serviceName, serviceType } from './name.ts'
import { ports } from './ports.ts'
import { args, command, security, workingDir } from './process.ts'
import { variablesFrom } from './references.ts'
import { resources } from './resources.ts'
import { rollout } from './rollout.ts'
import { generatedSecretSchema, variables } from './variables.ts'
import { volumes } from './volumes.ts'

/** What users say about one service of an app: the shape of AppStack, of App's inline stack and of AppStackRevision. */

const maxFilesTotal = 262_144

const stackServiceSchema = z.strictObject({
  name: serviceName,
  type: serviceType
    .default('Web')
    .meta({ description: `Web (answers on ports) or Worker (answers on none). Default Web. ${next}` }),
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
      description: `Only of a Worker: a service listed earlier whose image, variables, files and security it takes; its own win. Not with image. ${next}`,
    })
    .optional(),
  command: command(
    `Program and arguments in place of the image's entrypoint; no shell. Default: the image's. ${next}`,
  ).optional(),
  args: args(`Arguments in place of the image's; no shell. Default: the image's. ${next}`).optional(),
  workingDir: workingDir(`Absolute path of the folder the process starts in. Default: the image's. ${next}`).optional(),
  ports: ports.optional(),
  variables: variables(
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
  generatedSecrets: listMap(
    'Secrets made once for each instance and given as environment variables, at most 20. An upgrade never changes them.',
    generatedSecretSchema,
    { key: 'name', max: 20 },
  ).optional(),
  actions: actions.optional(),
})

export type StackService = Immutable<z.output<typeof stackServiceSchema>>

/** In CEL, of the volume `v` and the file `f`. */
const volumeInFile = "v.path == f.path || v.path.startsWith(f.path + '/')"

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
      list.every((f) => !mounted.some((v) => v.path === f.path || v.path.startsWith(`${f.path}/`))),
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

/** In CEL, of the service `s` at index `i`. */
const dependsOnEarlier = '!has(s.dependsOn) || s.dependsOn.all(d, self.exists(j, each, j < i && each.name == d))'

const fromEarlier = '!has(s.from) || self.exists(j, each, j < i && each.name == s.from)'

const listRules: readonly Rule<readonly StackService[]>[] = [
  {
    id: 'one-main-service',
    rule: 'self.filter(s, has(s.main) && s.main).size() <= 1',
    message: 'at most one service may have main: true',
    messageExpression: says(
      'at most one service may have main: true, not these: %s',
      'self.filter(s, has(s.main) && s.main).map(s, s.name)',
    ),
    reason: 'FieldValueInvalid',
    holds: (services) => services.filter((service) => service.main === true).length <= 1,
  },
  {
    // Names listed earlier only: so there are no cycles, and removing a service that others name is refused.
    id: 'depends-on-earlier',
    rule: `(oldSelf.hasValue() || true) && self.all(i, s, ${dependsOnEarlier})`,
    optionalOldSelf: true,
    message: 'dependsOn may name only services that are listed earlier',
    messageExpression: says(
      'dependsOn may name only services that are listed earlier in this list; these name others: %s',
      `self.transformList(i, s, !(${dependsOnEarlier}), s.name)`,
    ),
    reason: 'FieldValueInvalid',
    holds: (services) =>
      services.every(({ dependsOn: needed = [] }, index) => {
        const earlier = new Set(services.slice(0, index).map(({ name }) => name))
        return needed.every((name) => earlier.has(name))
      }),
  },
  {
    id: 'from-earlier',
    rule: `(oldSelf.hasValue() || true) && self.all(i, s, ${fromEarlier})`,
    optionalOldSelf: true,
    message: 'from may name only a service that is listed earlier',
    messageExpression: says(
      'from may name only a service that is listed earlier in this list; these name others: %s',
      `self.transformList(i, s, !(${fromEarlier}), s.name)`,
    ),
    reason: 'FieldValueInvalid',
    holds: (services) =>
      services.every(
        ({ from }, index) => from === undefined || services.slice(0, index).some(({ name }) => name === from),
      ),
  },
  {
    id: 'files-total',
    rule: `self.map(s, has(s.files) ? s.files.map(f, has(f.content) ? size(f.content) : 0).sum() : 0).sum() <= ${maxFilesTotal}`,
    message: `the files of all services may have at most ${maxFilesTotal} characters together`,
    messageExpression: says(
      `the files of all services have %d characters together; at most ${maxFilesTotal} are allowed`,
      'self.map(s, has(s.files) ? s.files.map(f, has(f.content) ? size(f.content) : 0).sum() : 0).sum()',
    ),
    reason: 'FieldValueInvalid',
    holds: (services) =>
      services
        .flatMap((service) => service.files ?? [])
        .reduce((sum, file) => sum + [...(file.content ?? '')].length, 0) <= maxFilesTotal,
  },
]

/** services[] of a stack: 1 to 50. */
export const stackServices = withRules(
  listMap('The services the app is made of, 1 to 50, by name.', withRules(stackServiceSchema, serviceRules), {
    key: 'name',
    min: 1,
    max: 50,
  }),
  listRules,
)
