import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from '@jest/globals'
import { startCluster, stopCluster } from '../cluster/cluster.ts'
import { establishCrds, makeAdmin } from '../support/apiserver.ts'
import { startOperatorProcess, type OperatorProcess } from '../support/operatorProcess.ts'
import { prepare, type ProductCluster } from '../support/productCluster.ts'
import { layOutOperator, type OperatorStart } from '../support/shippedOperator.ts'

/** A cluster whose nodes and pods are kwok's, for the tests of one file, and operators on it. */
export interface FleetWorld extends ProductCluster {
  /** As the operator's image starts it: what is promised of its memory is of that. */
  readonly start: OperatorStart
  /** Starts an operator, which is stopped after the tests, unless the test did. */
  startOperator(as?: OperatorStart): Promise<OperatorProcess>
}

/** Starts the cluster for this file and removes it afterwards; the fields are there once the tests run. */
export function useFleet(clusterName: string): FleetWorld {
  const folder = mkdtempSync(join(tmpdir(), 'appstead-fleet-'))
  let operator: OperatorProcess | undefined
  const world: { -readonly [Key in keyof FleetWorld]?: FleetWorld[Key] } = {
    async startOperator(as) {
      const { operatorKubeconfig: kubeconfig, start } = world as FleetWorld
      operator = await startOperatorProcess({ kubeconfig, logLevel: 'warn', start: as ?? start })
      return operator
    },
  }

  beforeAll(async () => {
    const cluster = await startCluster({ name: clusterName, level: 'kwok', report: () => undefined })
    const admin = await makeAdmin(cluster.kubeconfig)
    await establishCrds(admin)
    Object.assign(world, await prepare(cluster, admin))
    world.start = await layOutOperator(folder)
  }, 120_000)

  afterAll(async () => {
    try {
      await operator?.stop()
    } finally {
      await stopCluster({ name: clusterName, report: () => undefined })
      rmSync(folder, { recursive: true })
    }
  }, 60_000)
  return world as FleetWorld
}
