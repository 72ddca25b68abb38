import { z } from 'zod'
import { says, type Rule } from './kind.ts'
import { compareQuantities, cpuQuantity, memoryQuantity } from './quantity.ts'
import {
  dnsLabelFromLetter,
  imageReference,
  integer,
  listAtomic,
  listMap,
  text,
  withoutNul,
  withRules,
} from './schema.ts'

/** The fields of a service, shared by stacks, instances and releases. */

const portName = /^[a-z]([a-z0-9]|-[a-z0-9])*$/
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/
const httpPath = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$/
const filePath = /^(\/[.]?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$/

export const next = 'Takes effect with the next deployment.'

const reservedPrefix: Rule<string> = {
  id: 'reserved-variable',
  rule: "!self.startsWith('APPSTEAD_')",
  message: "a variable's name may not begin with APPSTEAD_: those are set by the platform",
  messageExpression: says(
    "'%s' may not begin with 'APPSTEAD_': those are set by the platform; use another name",
    'self',
  ),
  reason: 'FieldValueForbidden',
  holds: (name) => !name.startsWith('APPSTEAD_'),
}

const unreservedName = (description: string) =>
  withRules(text(description, { max: 128, min: 1, pattern: variableName }), [reservedPrefix])

export const serviceName = text(
  'Name of the service, unique in the stack; of its Deployment and Service too. Permanent.',
  {
    max: 30,
    min: 1,
    pattern: dnsLabelFromLetter,
  },
)

/** dependsOn of a service. */
export const dependsOn = (description: string) =>
  listAtomic(description, serviceName.meta({ description: 'Name of a service listed earlier.' }), 10)

export const image = (description: string) => text(description, { max: 512, min: 1, pattern: imageReference })

export const variableValue = text(`The value, as it is: at most 8192 characters, no NUL. ${next}`, {
  max: 8192,
  pattern: withoutNul,
})

/** variables[] of a stack's service and of an AppInstance. */
export const variables = (description: string) =>
  listMap(
    description,
    z.strictObject({
      name: unreservedName(
        `Name of the environment variable: letters, digits and _; may not begin with APPSTEAD_. ${next}`,
      ),
      value: variableValue,
    }),
    { key: 'name', max: 100 },
  )

export const serviceType = z.enum(['Web', 'Worker'])

export const portProtocol = z.enum(['HTTP', 'TCP'])

export const portNumber = integer(`Port the process listens on, 1 to 65535; unique in the service. ${next}`, 1, 65_535)

export const ports = withRules(
  listMap(
    `Ports the service answers on, at most 10; a Web service needs one, a Worker has none. ${next}`,
    z.strictObject({
      name: text(`Name of the port, unique in the service. Default http. ${next}`, {
        max: 15,
        min: 1,
        pattern: portName,
      }).default('http'),
      port: portNumber,
      protocol: portProtocol.default('HTTP').meta({ description: `HTTP or TCP. Default HTTP. ${next}` }),
    }),
    { key: 'name', max: 10 },
  ),
  [
    {
      id: 'unique-port-numbers',
      rule: 'self.all(p, self.exists_one(q, q.port == p.port))',
      message: 'two ports may not have the same number',
      messageExpression: says(
        'port %d stands more than once; each port must have a number of its own',
        'self.filter(p, !self.exists_one(q, q.port == p.port))[0].port',
      ),
      reason: 'FieldValueInvalid',
      holds: (list) => new Set(list.map((each) => each.port)).size === list.length,
    },
  ],
)

export const files = withRules(
  listMap(
    `Files put into each replica, at most 20 a service and 262144 characters a stack. ${next}`,
    z.strictObject({
      path: withRules(
        text(
          `Absolute path of the file, unique in the service; letters, digits and . _ @ + - between slashes. ${next}`,
          { max: 255, min: 2, pattern: filePath },
        ),
        [
          {
            id: 'file-path-taken',
            rule: "!self.matches('^/(tmp$|(dev|proc|sys)(/|$))')",
            message: 'the path of a file may not be /tmp, nor /dev, /proc, /sys or below',
            messageExpression: says(
              "'%s' is taken: a file may not be /tmp, nor /dev, /proc, /sys or below; use another path",
              'self',
            ),
            reason: 'FieldValueInvalid',
            holds: (path) => !/^\/(tmp$|(dev|proc|sys)(\/|$))/.test(path),
          },
        ],
      ),
      content: text(`Content of the file, at most 65536 characters. Not for secrets. ${next}`, { max: 65_536 }),
    }),
    { key: 'path', max: 20 },
  ),
  [
    {
      id: 'file-below-file',
      rule: "self.all(f, !self.exists(g, g.path.startsWith(f.path + '/')))",
      message: 'the path of a file may not be a folder of another one',
      messageExpression: says(
        "'%s' may not be a file and a folder of another file",
        `self.filter(f, self.exists(g, g.path.startsWith(f.path + '/')))[0].path`,
      ),
      reason: 'FieldValueInvalid',
      holds: (list) => list.every((f) => !list.some((g) => g.path.startsWith(`${f.path}/`))),
    },
  ],
)

const amounts = (how: string) =>
  z.strictObject({
    cpu: text(`CPU ${how}, in cores or millicores: a string such as "1", "0.5" or 250m. ${next}`, {
      max: 10,
      min: 1,
      pattern: cpuQuantity,
    }).optional(),
    memory: text(`Memory ${how}, in bytes with a unit, such as 128Mi or 1Gi. ${next}`, {
      max: 20,
      min: 1,
      pattern: memoryQuantity,
    }).optional(),
  })

const requestsUpToLimits = (field: 'cpu' | 'memory') =>
  ({
    id: `${field}-request-up-to-limit`,
    rule: `!has(self.requests) || !has(self.requests.${field}) || !has(self.limits) || !has(self.limits.${field}) || quantity(self.requests.${field}).compareTo(quantity(self.limits.${field})) <= 0`,
    message: `requests.${field} may not be larger than limits.${field}`,
    messageExpression: says(
      `requests.${field} '%s' may not be larger than limits.${field} '%s'`,
      `self.requests.${field}`,
      `self.limits.${field}`,
    ),
    fieldPath: `.requests.${field}`,
    reason: 'FieldValueInvalid',
    holds: ({ requests, limits }: Resources) => {
      const request = requests?.[field]
      const limit = limits?.[field]
      return request === undefined || limit === undefined || compareQuantities(request, limit) <= 0
    },
  }) as const

/** resources of a service, a Pod's. */
export const resourcesSchema = z
  .strictObject({
    requests: amounts('set aside for each replica')
      .meta({ description: `What each replica is sure to have. ${next}` })
      .optional(),
    limits: amounts('that each replica may use at most')
      .meta({ description: `What each replica may use at most. ${next}` })
      .optional(),
  })
  .meta({
    description: `CPU and memory of each replica; every replica has its own. Default: requests of 50m and 128Mi for what has no limit; no limit. ${next}`,
  })

type Resources = z.output<typeof resourcesSchema>

export const resources = withRules(resourcesSchema, [requestsUpToLimits('cpu'), requestsUpToLimits('memory')])

export const healthPath = text(`Path that answers 200 to 399 when the replica can serve, such as /healthz. ${next}`, {
  max: 256,
  min: 1,
  pattern: httpPath,
})

export const healthPortName = (description: string) => text(description, { max: 15, min: 1, pattern: portName })

export const timeoutSeconds = integer(`Seconds within which the check must answer, 1 to 5. Default 5. ${next}`, 1, 5)

export const startupSeconds = integer(
  `Seconds a new replica may take until the check answers, 1 to 3600. Default 120. ${next}`,
  1,
  3600,
)

export const healthCheck = z
  .strictObject({
    path: healthPath,
    port: healthPortName(
      `Name of the port that is asked. Default: the first HTTP port, else the first one. ${next}`,
    ).optional(),
    timeoutSeconds: timeoutSeconds.default(5),
    startupSeconds: startupSeconds.default(120),
  })
  .meta({
    description: `How each replica says that it can serve: an HTTP GET. Without it no update is free of lost requests. ${next}`,
  })

export const progressDeadlineSeconds = integer(
  `Seconds a roll-out may make no progress before it counts as failed, 10 to 3600. Default 300. ${next}`,
  10,
  3600,
)

export const drainSeconds = integer(
  `Seconds an old replica goes on serving while it is taken out of traffic, 0 to 300. Default 10. ${next}`,
  0,
  300,
)

export const terminationGracePeriodSeconds = integer(
  `Seconds from the beginning of the drain until a replica is killed, 1 to 3600. Default 30. More than drainSeconds. ${next}`,
  1,
  3600,
)

export const rollout = withRules(
  z
    .strictObject({
      progressDeadlineSeconds: progressDeadlineSeconds.default(300),
      drainSeconds: drainSeconds.default(10),
      terminationGracePeriodSeconds: terminationGracePeriodSeconds.default(30),
    })
    .meta({ description: `How replicas are replaced: new ones first, then the old are drained. ${next}` }),
  [
    {
      id: 'drain-within-grace-period',
      rule: 'self.terminationGracePeriodSeconds > self.drainSeconds',
      message: 'terminationGracePeriodSeconds must be more than drainSeconds',
      messageExpression: says(
        'terminationGracePeriodSeconds %d must be more than drainSeconds %d: the process must have time left to end',
        'self.terminationGracePeriodSeconds',
        'self.drainSeconds',
      ),
      fieldPath: '.terminationGracePeriodSeconds',
      reason: 'FieldValueInvalid',
      holds: (value) => value.terminationGracePeriodSeconds > value.drainSeconds,
    },
  ],
)

export const generatedSecretSchema = z.strictObject({
  name: unreservedName('Name of the environment variable that holds it: letters, digits and _. Permanent.'),
  length: integer('Characters of the secret, 16 to 128. Default 64. Counts only when it is made.', 16, 128).default(64),
})
