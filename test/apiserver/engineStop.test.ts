import { describe, expect, it } from '@jest/globals'
import { isKubeError } from '../../operator/kube/errors.ts'
import { boxKind, childrenIn, makeBox, makeChild, makeController, settled } from './engineBox.ts'
import { configMapType, eventually, useCluster } from './engineCluster.ts'
import { useBench } from './engineOperator.ts'

const here = useCluster('test-engine-stop')
const bench = useBench(here)
const isApply = ({ method, url }: { readonly method: string; readonly url: string }): boolean =>
  method === 'PATCH' && url.includes('/configmaps/')

describe('a stop', () => {
  it('lets a reconcile end within its grace', async () => {
    const { namespace } = bench
    const proxy = await bench.proxied()
    const hold = proxy.hold(isApply)
    const controller = makeController(namespace, async (ctx, box) => {
      await ctx.kube.apply(configMapType, makeChild(box, 'first'))
      await ctx.kube.apply(configMapType, makeChild(box, 'second'))
      return { ...settled, status: { done: true } }
    })
    const operator = await bench.start(controller, { stopGraceSeconds: 60 })
    await here.client.create(boxKind, makeBox(namespace, 'quick'))
    await eventually(() => hold.count === 1)
    const stopped = operator.drain()
    hold.release()
    await stopped
    expect(await childrenIn(here.client, namespace)).toHaveLength(2)
    expect((await bench.getBox('quick')).status).toEqual({ done: true })
  }, 60_000)

  it('cuts off what outlasts it: nothing is written any more, and the next operator does it', async () => {
    const { namespace } = bench
    const proxy = await bench.proxied()
    const hold = proxy.hold(isApply)
    const errors: unknown[] = []
    const controller = makeController(namespace, async (ctx, box) => {
      // Even one that does not care.
      const child = await ctx.kube.apply(configMapType, makeChild(box, 'late')).catch((error: unknown) => {
        errors.push(error)
      })
      if (child === undefined) await ctx.kube.create(configMapType, makeChild(box, 'later')).catch(() => undefined)
      return { ...settled, status: { done: true } }
    })
    const operator = await bench.start(controller, { stopGraceSeconds: 1 })
    await here.client.create(boxKind, makeBox(namespace, 'slow'))
    await eventually(() => hold.count === 1)
    const since = performance.now()
    await operator.drain()
    const seconds = (performance.now() - since) / 1000
    console.log(`drained in ${seconds.toFixed(2)} s of 1 s of grace`)
    expect(seconds).toBeGreaterThan(0.9)
    // The deadline of the call, and of the reconcile, is 30 s.
    expect(seconds).toBeLessThan(10)
    expect(errors.map((error) => isKubeError(error, 'Aborted'))).toEqual([true])
    expect(operator.isIdle).toBe(true)

    hold.release()
    const sent = proxy.requests.length
    // Through the same proxy, and after what was held in it.
    await bench.start(makeController(`${namespace}-not`, async () => settled))
    expect(proxy.requests.slice(sent).filter(({ method }) => method !== 'GET')).toEqual([])
    expect(await childrenIn(here.client, namespace)).toEqual([])
    expect((await bench.getBox('slow')).status).toBeUndefined()

    await bench.start(controller)
    await eventually(async () => (await bench.getBox('slow')).status?.['done'] === true)
    expect((await childrenIn(here.client, namespace)).map(({ metadata }) => metadata.name)).toEqual(['late'])
  }, 60_000)
})
