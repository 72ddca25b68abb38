import { z } from 'zod'
import { erroredSettings } from './policyTemplate.ts'

/**
 * What can be set when the chart is installed: the only source of values.yaml and values.schema.json. A name that is not
 * here is refused by Helm, so that a misspelt value fails at once.
 */

const image = z
  .strictObject({
    repository: z
      .string()
      .min(1)
      .default('appstead.local/operator')
      .describe('Registry and path. The default is what `make demo` makes and puts on its own node.'),
    tag: z.string().default('').describe("The tag. Default: the chart's appVersion."),
    digest: z
      .string()
      .regex(/^$|^sha256:[0-9a-f]{64}$/)
      .default('')
      .describe('sha256:… of the image; wins over the tag.'),
    pullPolicy: z
      .enum(['IfNotPresent', 'Always', 'Never'])
      .default('IfNotPresent')
      .describe('When the node pulls it: IfNotPresent, Always or Never.'),
  })
  .prefault({})
  .describe("The operator's image.")

const crds = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether they belong to this release. Set it to false to apply them in another way.'),
    keep: z
      .boolean()
      .default(true)
      .describe('Whether they, and every App and AppInstance with them, stay when the release is uninstalled.'),
  })
  .prefault({})
  .describe('The CustomResourceDefinitions.')

const serviceAccount = z
  .strictObject({
    name: z.string().default('').describe('Its name. Default: that of the release.'),
    annotations: z.record(z.string(), z.string()).default({}).describe('Annotations of the ServiceAccount.'),
  })
  .prefault({})
  .describe('The account the operator works under; its rights are what its controllers declare.')

const settings = z
  .strictObject({
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('debug, info, warn or error.'),
    workers: z.int().min(1).max(64).default(8).describe('Reconciles at the same time, per controller; 1 to 64.'),
    reconcileDeadlineSeconds: z
      .int()
      .min(1)
      .max(3600)
      .default(60)
      .describe('Seconds after which a reconcile is cut off and tried again; 1 to 3600.'),
    stopGraceSeconds: z
      .int()
      .min(0)
      .max(300)
      .default(10)
      .describe('Seconds that running reconciles may go on when the pod is stopped; 0 to 300.'),
    leaseSeconds: z
      .int()
      .min(3)
      .max(300)
      .default(15)
      .describe(
        'Seconds without a sign of life of the leading pod after which another one takes over; 3 to 300. ' +
          'A pod that is stopped in good order hands over at once.',
      ),
  })
  .prefault({})
  .describe('Settings of the operator.')

const policies = z
  .strictObject({
    errored: z
      .enum(erroredSettings)
      .default('Default')
      .describe(
        'What the API server does with a change of an AppInstance that is Errored. Default: refuses it to people, stores and warns for service accounts, such as those of GitOps controllers. Deny: refuses it to all. Warn: stores and warns for all. Off: nothing, and nothing else it refuses for the sake of Errored.',
      ),
  })
  .prefault({})
  .describe('The policies in the API server, which hold while the operator is down, too.')

const quantity = z.union([z.string(), z.number()])
const resources = z
  .strictObject({
    requests: z
      .strictObject({
        cpu: quantity.default('100m').describe('In cores or millicores.'),
        memory: quantity.default('192Mi').describe('In bytes, with a unit.'),
      })
      .prefault({})
      .describe('What is set aside for it.'),
    limits: z
      .strictObject({
        cpu: quantity
          .optional()
          .describe('In cores or millicores. None by default: it would only slow down the start.'),
        memory: quantity.default('512Mi').describe('In bytes, with a unit.'),
      })
      .prefault({})
      .describe('What it may use at most.'),
  })
  .prefault({})
  .describe('CPU and memory of the operator. Measured: 150 to 175 MiB at rest with a few instances.')

const networkPolicy = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether nobody may connect to the operator but for its metrics.'),
  })
  .prefault({})
  .describe("The NetworkPolicy of the operator's own pods; those of instances are made for each.")

const podMonitor = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe("Whether to make one; the Prometheus Operator's CustomResourceDefinitions must be there."),
    labels: z
      .record(z.string(), z.string())
      .default({})
      .describe('Labels by which your Prometheus selects PodMonitors, such as {release: prometheus}.'),
  })
  .prefault({})
  .describe('A PodMonitor, for the Prometheus Operator. Without it: scrape the port metrics, path /metrics.')

const toleration = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.int().optional(),
})

/** All values. */
export const valuesSchema = z.strictObject({
  replicas: z
    .int()
    .min(0)
    .max(5)
    .default(2)
    .describe(
      'How many pods; one of them leads, the others are ready to take over. ' +
        '0 stops the operator for a while: what runs, goes on running.',
    ),
  image,
  imagePullSecrets: z
    .array(z.strictObject({ name: z.string().min(1) }))
    .default([])
    .describe('Names of Secrets to pull the image with, such as [{name: my-registry}].'),
  crds,
  policies,
  serviceAccount,
  settings,
  resources,
  networkPolicy,
  podMonitor,
  nodeSelector: z.record(z.string(), z.string()).default({}).describe('Labels of the nodes it may run on.'),
  tolerations: z.array(toleration).default([]).describe('Taints of nodes that it bears.'),
  priorityClassName: z.string().default('').describe("Name of the pod's PriorityClass."),
  global: z
    .looseObject({})
    .optional()
    .describe('Not read here; Helm passes it on when this chart is part of another one.'),
})

/** values.schema.json, not formatted. */
export function printValuesSchema(): string {
  const { $schema: _same, ...schema } = z.toJSONSchema(valuesSchema, { io: 'input', target: 'draft-7' })
  return JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema })
}

/** values.yaml, not formatted: every value with its default, below what it means. */
export function printValues(): string {
  const head = [
    '# Generated by charts/generate.ts from charts/values.ts; do not edit.',
    '# helm install appstead charts/appstead --set settings.logLevel=debug',
  ]
  return `${[...head, ...valueLines(valuesSchema, valuesSchema.parse({}), '')].join('\n')}\n`
}

function valueLines(schema: z.ZodObject, defaults: Readonly<Record<string, unknown>>, indent: string): string[] {
  return Object.entries(defaults).flatMap(([name, value]) => {
    const field = schema.shape[name] as z.ZodType
    const comment = `${indent}# ${field.description ?? ''}`
    const gap = indent === '' ? [''] : []
    const inner = unwrapped(field)
    if (!(inner instanceof z.ZodObject)) return [...gap, comment, `${indent}${name}: ${JSON.stringify(value)}`]
    const own = valueLines(inner, value as Readonly<Record<string, unknown>>, `${indent}  `)
    return [...gap, comment, `${indent}${name}:`, ...own]
  })
}

function unwrapped(field: z.ZodType): z.ZodType {
  return field instanceof z.ZodPrefault || field instanceof z.ZodDefault ? (field.unwrap() as z.ZodType) : field
}
