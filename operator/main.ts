import { randomBytes } from 'node:crypto'
import process from 'node:process'
import type { Logger } from 'pino'
import { leaseName } from './api/meta.ts'
import { ConfigError, readConfig } from './config.ts'
import type { Config } from './config.ts'
import { controllers } from './controllers/controllers.ts'
import { createDefaultEnvs } from './controllers/appEnv/defaultEnvs.ts'
import { informers } from './controllers/informers.ts'
import { AccessError, loadKubeConfig } from './kube/access.ts'
import { makeKubeClient } from './kube/restClient.ts'
import { KubeError } from './kube/errors.ts'
import type { AnswerNote, TransportOptions } from './kube/transport.ts'
import { AppsteadOperator } from './operator.ts'
import { preflight } from './preflight.ts'
import { declared } from './declared.ts'
import { systemClock } from './runtime/clock.ts'
import { startHealthServer } from './runtime/health.ts'
import { Leader } from './runtime/leader.ts'
import { makeLog } from './runtime/log.ts'
import { makeLogOutput, type LogOutput } from './runtime/logOutput.ts'
import { Metrics } from './runtime/metrics.ts'
import { startMetricsServer } from './runtime/metricsServer.ts'
import { showProcess } from './runtime/processMetrics.ts'

/** The process: leader, operator, health and metrics, until a signal or a newer operator ends it. */
async function main(config: Config): Promise<void> {
  const output = makeLogOutput()
  const log = makeLog(config.logLevel, output)
  const metrics = new Metrics()
  metrics.showDroppedLines(() => output.droppedLines)
  const endShow = showProcess(metrics.registry)
  // Never the same twice, not even for a container that is started again in its pod: what it was, is somebody else.
  const identity = `${config.instance}_${randomBytes(4).toString('hex')}`
  const wire = {
    userAgent: `appstead/${config.version} (${identity})`,
    onAnswer: (note: AnswerNote) => metrics.answered(note),
  }
  // Nor does it wait for long because the server is busy: a lead that is not renewed is lost.
  const leaseClient = makeKubeClient(loadKubeConfig(), { ...wire, callConnections: 1, maxPauseSeconds: 1 })
  const leader = new Leader({
    client: leaseClient,
    lease: { namespace: config.namespace, name: leaseName },
    identity,
    version: config.version,
    clock: systemClock,
    log,
    leaseSeconds: config.leaseSeconds,
    onLost: (reason) => void quit(reason, log, output),
    onSuperseded: (reason) => stop(reason),
  })
  metrics.showLease(leaseName, () => leader.isLeading)
  const operator = makeOperator(config, { log, metrics, leader, wire })
  let objection: string | undefined = 'not looked at yet'
  const closeServers = await startServers(config, operator, metrics, () => objection)
  const beforehand = new AbortController()
  let stopping: Promise<void> | undefined
  const finish = async (): Promise<void> => {
    beforehand.abort()
    // First what writes, then the Lease: the standby acts from the moment it is empty.
    await operator.drain()
    await leader.release()
    await Promise.all([leaseClient.close(), closeServers()])
    endShow()
    // Lines that nobody reads must not keep the process.
    if (!(await output.flush(1000))) process.exit()
  }
  const stop = (reason: string): void => {
    log.info({ reason }, 'Stopping')
    stopping ??= finish()
  }
  // A promise nobody waited for is a bug of ours: said loudly, but no reason to stop reconciling everything else.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'Unhandled rejection'))
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  const { signal } = beforehand
  await preflight({ ...config, ...declared, client: leaseClient, log, signal, onObjection: (now) => (objection = now) })
  if (stopping !== undefined) return
  await operator.start().catch(async (error: unknown) => {
    // Stopped before it began.
    if (stopping !== undefined) return
    process.exitCode = 1
    // It may lead already: nobody is to wait until that has expired.
    await (stopping = finish())
    throw error
  })
}

interface Surroundings {
  readonly log: Logger
  readonly metrics: Metrics
  readonly leader: Leader
  readonly wire: TransportOptions
}

/** The operator, which writes as long as it leads. */
function makeOperator(config: Config, { log, metrics, leader, wire }: Surroundings): AppsteadOperator {
  const fenced = { ...wire, beforeWrite: () => leader.check() }
  return new AppsteadOperator({
    config,
    log,
    metrics,
    client: makeKubeClient(loadKubeConfig(), fenced),
    wire: fenced,
    clock: systemClock,
    informers,
    controllers,
    elected: () => leader.campaign(),
    prepare: ({ client, cache }, signal) => createDefaultEnvs({ client, cache, log, signal }),
  })
}

/** Health and metrics; returns what ends both. */
async function startServers(
  { healthPort, metricsPort }: Config,
  operator: AppsteadOperator,
  metrics: Metrics,
  objection: () => string | undefined,
): Promise<() => Promise<unknown>> {
  const health = await startHealthServer({
    port: healthPort,
    informers: () => operator.health(),
    isReady: () => operator.isSynced,
    objection,
  })
  const scrapes = await startMetricsServer({ port: metricsPort, text: () => metrics.text() })
  return () => Promise.all([health.close(), scrapes.close()])
}

/** The lead is lost: nothing that could be finished may be written any more, and calls under way end with the process. */
async function quit(reason: string, log: Logger, output: LogOutput): Promise<void> {
  log.error({ reason }, 'Lost the lead')
  await output.flush(200)
  process.exit(1)
}

/** One line for what is wrong with the world outside, the stack for a bug of ours. */
function describe(error: NodeJS.ErrnoException): string {
  const isOutside = [ConfigError, AccessError, KubeError].some((each) => error instanceof each)
  return `${isOutside || error.syscall === 'listen' ? error.message : error.stack}\n`
}

try {
  await main(readConfig())
} catch (error) {
  process.stderr.write(describe(error as Error))
  // Caches and watches may be running already: a process that could not start must not look alive.
  process.exit(1)
}
