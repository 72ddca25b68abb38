import { ConfigError, readConfig } from './config.ts'
import type { Config } from './config.ts'
import { controllers } from './controllers/controllers.ts'
import { createDefaultEnvs } from './controllers/appEnv.ts'
import { informers } from './controllers/informers.ts'
import { loadKubeConfig, makeKubeClient } from './kube/clientNode.ts'
import { AppsteadOperator } from './operator.ts'
import { systemClock } from './runtime/clock.ts'
import { startHealthServer } from './runtime/health.ts'
import { makeLog } from './runtime/log.ts'

/** The process: configuration, operator, health server, until a signal ends it. */
async function main(config: Config): Promise<void> {
  const log = makeLog(config.logLevel)
  const operator = new AppsteadOperator({
    config,
    log,
    client: makeKubeClient(loadKubeConfig()),
    clock: systemClock,
    informers,
    controllers,
    prepare: ({ client, cache }) => createDefaultEnvs(client, cache, log),
  })
  const health = await startHealthServer({
    port: config.healthPort,
    informers: () => operator.health(),
    isReady: () => operator.isReady,
  })
  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'Stopping')
    await operator.drain()
    await health.close()
  }
  // A promise nobody waited for is a bug of ours: said loudly, but no reason to stop reconciling everything else.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'Unhandled rejection'))
  process.once('SIGTERM', (signal) => void stop(signal))
  process.once('SIGINT', (signal) => void stop(signal))
  await operator.start()
}

try {
  await main(readConfig())
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : (error as Error).stack}\n`)
  // Caches and watches may be running already: a process that could not start must not look alive.
  process.exit(1)
}
