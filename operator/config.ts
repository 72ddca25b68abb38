import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { z } from 'zod'

const integer = (least: number, most: number, preset: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be a whole number from ${least} to ${most}`)
    .default(preset)

const schema = z.object({
  APPSTEAD_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error').default('info'),
  APPSTEAD_HEALTH_PORT: integer(0, 65_535, 8081),
  APPSTEAD_METRICS_PORT: integer(0, 65_535, 8080),
  APPSTEAD_WORKERS: integer(1, 64, 8),
  APPSTEAD_RECONCILE_DEADLINE_SECONDS: integer(1, 3600, 60),
  APPSTEAD_STOP_GRACE_SECONDS: integer(0, 300, 10),
  APPSTEAD_LEASE_SECONDS: integer(3, 300, 15),
  APPSTEAD_NAMESPACE: z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
      'must be the name of a namespace: lower-case letters, digits and hyphens, at most 63',
    )
    .default('appstead-system'),
  HOSTNAME: z.string().optional(),
})

/** How the process is to run: what the chart's values become (APPSTEAD_… in its environment), and who it is. */
export interface Config {
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  /** Where /livez and /readyz are served; 0: any free port. */
  readonly healthPort: number
  /** Where /metrics is served; 0: any free port. */
  readonly metricsPort: number
  /** Reconciles at the same time, per controller. */
  readonly workers: number
  /** After it a reconcile's calls are aborted and the key is tried again. */
  readonly reconcileDeadlineSeconds: number
  /** How long running reconciles may go on after SIGTERM. */
  readonly stopGraceSeconds: number
  /** After so long without a sign of life of the leading operator another one takes over. */
  readonly leaseSeconds: number
  /** The operator's own namespace. */
  readonly namespace: string
  /** The pod's or the machine's name, as events and logs show it. */
  readonly instance: string
  /** Of this operator, as its package says. */
  readonly version: string
}

/** Thrown for an environment that cannot be meant; the message is one line per variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Reads the Config from an environment; throws a ConfigError naming variable, value and what would be right. */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const result = schema.safeParse(dropEmpty(environment))
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => {
      const name = String(path[0])
      return `${name}=${JSON.stringify(environment[name])}: ${message}`
    })
    throw new ConfigError(lines.join('\n'))
  }
  const values = result.data
  return {
    logLevel: values.APPSTEAD_LOG_LEVEL,
    healthPort: values.APPSTEAD_HEALTH_PORT,
    metricsPort: values.APPSTEAD_METRICS_PORT,
    workers: values.APPSTEAD_WORKERS,
    reconcileDeadlineSeconds: values.APPSTEAD_RECONCILE_DEADLINE_SECONDS,
    stopGraceSeconds: values.APPSTEAD_STOP_GRACE_SECONDS,
    leaseSeconds: values.APPSTEAD_LEASE_SECONDS,
    namespace: values.APPSTEAD_NAMESPACE,
    instance: values.HOSTNAME ?? hostname(),
    version: readVersion(),
  }
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

/** A variable that is set to nothing is one that is not set. */
function dropEmpty(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const set: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) if (value !== undefined && value !== '') set[name] = value
  return set
}
