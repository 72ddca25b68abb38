import { setTimeout as pause } from 'node:timers/promises'
import { waitUntil } from '../cluster/kubeApi.ts'
import { auditMark, requestsOf, type Request } from '../support/auditLog.ts'
import type { ProductCluster } from '../support/productCluster.ts'
import { unready } from './fleet.ts'
import { isStanding } from './served.ts'

/** Waiting for an operator that is done, by what it asks of the API server. */

/** How long it takes is the machine's affair; that nothing is asked of the server for so long is not. */
const patienceSeconds = 30

/** What the operator asked for since now, connections aside, each time it is called: since the last time. */
function watchRequests({ cluster, operatorUser }: ProductCluster): () => readonly Request[] {
  let mark = auditMark(cluster)
  return () => {
    const from = mark
    mark = auditMark(cluster)
    return requestsOf(cluster, operatorUser, from).filter((request) => !isStanding(request))
  }
}

/** Resolves when nothing was asked of the server for a few seconds. */
export async function settle(world: ProductCluster): Promise<void> {
  const newRequests = watchRequests(world)
  await waitUntil('the operator asks for nothing', 120, async () => {
    await pause(3000)
    return newRequests().length === 0
  })
}

/** Resolves when every instance is Ready; rejects when some are not and nobody does anything about it. */
export async function allReady(world: ProductCluster): Promise<void> {
  const newRequests = watchRequests(world)
  let quietSince = performance.now()
  for (let missing = await unready(world.hands); missing.length > 0; missing = await unready(world.hands)) {
    await pause(missing.length > 100 ? 3000 : 300)
    if (newRequests().length > 0) quietSince = performance.now()
    if (performance.now() - quietSince > patienceSeconds * 1000) {
      throw new Error(`${missing.length} starve, such as ${missing.slice(0, 5).join(', ')}`)
    }
  }
}
