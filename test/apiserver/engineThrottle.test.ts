import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../operator/api/meta.ts'
import { eventType } from '../../operator/runtime/events.ts'
import { boxKind, makeBox, makeController, settled } from './engineBox.ts'
import { eventually, useCluster } from './engineCluster.ts'
import { useBench } from './engineOperator.ts'

const here = useCluster('test-engine-throttle')
const bench = useBench(here)

async function throttledEvents(): Promise<readonly KubeObject[]> {
  const { items } = await here.client.list(eventType)
  return items.filter(
    (event) =>
      event.metadata.namespace === bench.namespace && 'reason' in event && event.reason === 'ReconcileThrottled',
  )
}

describe('an object that each of its reconciles changes', () => {
  it('is soon looked at only every ten seconds, is told of once, and keeps nobody else waiting', async () => {
    const { namespace } = bench
    const runs: number[] = []
    const controller = makeController(namespace, async (ctx, box) => {
      if (box.metadata.name !== 'restless') return { ...settled, status: { isServed: true } }
      runs.push(performance.now())
      const { apiVersion, kind, metadata } = box
      const labels = { turn: String(runs.length) }
      await ctx.kube.apply(boxKind, { apiVersion, kind, metadata: { namespace, name: metadata.name, labels } })
      return settled
    })
    await bench.start(controller)
    await here.client.create(boxKind, makeBox(namespace, 'restless'))
    await eventually(async () => (await throttledEvents()).length > 0)
    const throttledAfter = runs.length
    console.log(`throttled after ${throttledAfter} runs`)
    expect(throttledAfter).toBeGreaterThanOrEqual(30)
    expect(throttledAfter).toBeLessThanOrEqual(40)

    for (const name of ['calm-1', 'calm-2', 'calm-3']) {
      await here.client.create(boxKind, makeBox(namespace, name))
      await eventually(async () => (await bench.getBox(name)).status?.['isServed'] === true, 5)
    }
    // It is not given up: it has its turn every ten seconds, and changes itself again.
    await eventually(() => runs.length === throttledAfter + 2)
    const gaps = runs.map((at, index) => at - (runs[index - 1] ?? at)).slice(throttledAfter)
    console.log(`then every ${gaps.map((gap) => (gap / 1000).toFixed(1)).join(', ')} s`)
    for (const gap of gaps) expect(gap).toBeGreaterThan(9500)
    expect(await throttledEvents()).toHaveLength(1)
    await eventually(async () => (await bench.getBox('restless')).metadata.labels?.['turn'] === String(runs.length), 5)
  }, 90_000)
})
