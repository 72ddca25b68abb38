import process from 'node:process'
import { fileURLToPath } from 'node:url'
// Jest cannot let a CommonJS package (@dot-i's) require an ES module that is itself being linked: client-node must be there before.
import '../../../operator/kube/access.ts'
import { makeClientOver } from '../../../operator/kube/restClient.ts'
import type { Wire } from '../../../operator/kube/wire.ts'
import type { AppsteadOperator as Operator } from '../../../operator/operator.ts'
import type { Clock } from '../../../operator/runtime/clock.ts'
import { makeLog } from '../../../operator/runtime/log.ts'

const { AppsteadOperator } = await import('../../../operator/operator.ts')
const { controllers } = await import('../../../operator/controllers/controllers.ts')
const { informers } = await import('../../../operator/controllers/informers.ts')
const { createDefaultEnvs } = await import('../../../operator/controllers/appEnv/defaultEnvs.ts')

const config = { workers: 4, reconcileDeadlineSeconds: 60, stopGraceSeconds: 5, instance: 'double', namespace: 'shop' }

export interface OperatorParts {
  readonly wire: Wire
  readonly clock: Clock
  /** Given each line of its log. */
  readonly onLog: (line: string) => void
}

/** The operator of the product, with its own client, over another wire and clock. It is started; nobody waits for it. */
export function startOperator({ wire, clock, onLog }: OperatorParts): Operator {
  process.env['KUBECONFIG'] = fileURLToPath(new URL('../kubeconfig.yaml', import.meta.url))
  const log = makeLog('debug', { write: onLog })
  const operator = new AppsteadOperator({
    config,
    log,
    client: makeClientOver(wire),
    clock,
    informers,
    controllers,
    prepare: ({ client, cache }, signal) => createDefaultEnvs({ client, cache, log, signal }),
  })
  operator.start().catch((error: unknown) => onLog(`start failed: ${String(error)}`))
  return operator
}
