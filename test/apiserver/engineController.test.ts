import { execFile } from 'node:child_process'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { refOf } from '../../operator/api/meta.ts'
import type { Report } from '../../operator/runtime/controller.ts'
import type { Hold } from '../faults/proxy.ts'
import { boxKind, childrenIn, childrenOf, makeBox, makeChild, makeController, settled } from './engineBox.ts'
import { configMapType, eventually, makeConfigMap, pause, requestsOf, useCluster } from './engineCluster.ts'
import { useBench } from './engineOperator.ts'

const here = useCluster('test-engine-controller')
const bench = useBench(here)
const { logged } = bench
const finalizer = 'engine.test/cleanup'
let namespace: string

beforeEach(() => {
  namespace = bench.namespace
})

async function isGone(name: string): Promise<boolean> {
  const { items } = await here.client.list(boxKind)
  return !items.some(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
}

describe('finalizer protocol', () => {
  it('holds the object from before its first reconcile until the cleanup has settled', async () => {
    const finalizersAtReconcile: (readonly string[] | undefined)[] = []
    let cleanups = 0
    const controller = makeController(
      namespace,
      async (ctx, box) => {
        finalizersAtReconcile.push(box.metadata.finalizers)
        if (childrenOf(ctx.cache, box).length === 0) await ctx.kube.create(configMapType, makeChild(box, 'child'))
        return settled
      },
      {
        finalizer,
        cleanup: async (ctx, box) => {
          cleanups += 1
          const children = childrenOf(ctx.cache, box)
          for (const child of children) await ctx.kube.delete(configMapType, refOf(child), child.metadata.uid ?? '')
          if (children.length === 0) return settled
          return {
            status: { left: children.length },
            outcome: { kind: 'progressing', reason: 'Terminating', message: 'children' },
          }
        },
      },
    )
    await bench.start(controller)
    await here.client.create(boxKind, makeBox(namespace, 'a'))
    await eventually(async () => (await here.client.get(configMapType, { namespace, name: 'child' })) !== undefined)
    const box = await bench.getBox('a')
    expect(box.metadata.finalizers).toEqual([finalizer])
    expect(finalizersAtReconcile[0]).toEqual([finalizer])

    await here.client.delete(boxKind, { namespace, name: 'a' }, box.metadata.uid ?? '')
    await eventually(() => isGone('a'))
    expect((await here.client.list(configMapType, { labelSelector: 'engine.test/box' })).items).toEqual([])
    expect(cleanups).toBe(2)
  }, 60_000)

  it('leaves the finalizers of others alone, also those added at the same moment', async () => {
    await bench.start(makeController(namespace, async () => settled, { finalizer, cleanup: async () => settled }))
    const made = makeBox(namespace, 'b')
    await here.client.create(boxKind, { ...made, metadata: { ...made.metadata, finalizers: ['other/first'] } })
    await eventually(async () => (await bench.getBox('b')).metadata.finalizers?.length === 2)
    await here.client.patch(boxKind, { namespace, name: 'b' }, [
      { op: 'add', path: '/metadata/finalizers/0', value: 'other/second' },
    ])
    await here.client.delete(boxKind, { namespace, name: 'b' }, (await bench.getBox('b')).metadata.uid ?? '')
    await eventually(async () => (await bench.getBox('b')).metadata.finalizers?.includes(finalizer) === false)
    expect((await bench.getBox('b')).metadata.finalizers).toEqual(['other/second', 'other/first'])
    await here.client.patch(boxKind, { namespace, name: 'b' }, [{ op: 'remove', path: '/metadata/finalizers' }])
    await eventually(() => isGone('b'))
  }, 60_000)

  it('keeps the object when a cleanup throws, and tries again', async () => {
    let attempts = 0
    const cleanup = async (): Promise<Report<unknown>> => {
      attempts += 1
      if (attempts < 3) throw new Error('cleanup broke')
      return settled
    }
    await bench.start(makeController(namespace, async () => settled, { finalizer, cleanup }))
    await here.client.create(boxKind, makeBox(namespace, 'c'))
    await eventually(async () => (await bench.getBox('c')).metadata.finalizers?.length === 1)
    await here.client.delete(boxKind, { namespace, name: 'c' }, (await bench.getBox('c')).metadata.uid ?? '')
    await eventually(() => isGone('c'))
    expect(attempts).toBe(3)
    expect(logged.filter((line) => line.includes('cleanup broke') && line.includes('"stack"'))).toHaveLength(2)
  }, 60_000)
})

describe('read your own writes', () => {
  it('never makes a second child because the cache has not seen the first', async () => {
    const proxy = await bench.proxied()
    const seen: number[] = []
    let hold: Hold | undefined
    const controller = makeController(namespace, async (ctx, box) => {
      const children = childrenOf(ctx.cache, box)
      seen.push(children.length)
      if (children.length === 0) {
        // From now on the cache learns nothing, until it is let.
        hold = proxy.hold(({ isWatch }) => isWatch)
        for (const watch of proxy.watches()) watch.end()
        await ctx.kube.create(configMapType, makeChild(box, `child-${seen.length}`))
      }
      return { outcome: { kind: 'progressing', reason: 'Creating', message: 'wakes itself', retryAfterSeconds: 0.05 } }
    })
    await bench.start(controller)
    await eventually(() => proxy.watches().length === 2)
    await here.client.create(boxKind, makeBox(namespace, 'blind'))
    await eventually(() => hold?.count === 2)
    await pause(1000)
    expect(seen).toEqual([0])
    hold?.release()
    await eventually(() => seen.length > 3)
    expect(new Set(seen.slice(1))).toEqual(new Set([1]))
    expect(await childrenIn(here.client, namespace)).toHaveLength(1)
  }, 60_000)

  it('makes each child once while everything changes at once', async () => {
    let next = 0
    const controller = makeController(namespace, async (ctx, box) => {
      const children = childrenOf(ctx.cache, box)
      next += 1
      if (children.length === 0) await ctx.kube.create(configMapType, makeChild(box, `${box.metadata.name}-${next}`))
      return settled
    })
    await bench.start(controller)
    const names = Array.from({ length: 20 }, (_, index) => `box-${index}`)
    await Promise.all(names.map((name) => here.client.create(boxKind, makeBox(namespace, name))))
    for (let size = 1; size <= 10; size += 1) {
      const change = [{ op: 'add', path: '/spec/size', value: size }]
      await Promise.all(names.map((name) => here.client.patch(boxKind, { namespace, name }, change)))
    }
    await eventually(async () => (await childrenIn(here.client, namespace)).length >= names.length)
    await pause(500)
    expect(await childrenIn(here.client, namespace)).toHaveLength(names.length)
    expect(next).toBeGreaterThan(names.length)
  }, 60_000)

  it('waits for its deletes, and not for what nobody watches', async () => {
    const seen: number[] = []
    const controller = makeController(namespace, async (ctx, box) => {
      const children = childrenOf(ctx.cache, box)
      seen.push(children.length)
      if (children.length === 0 && box.spec.size === 1) {
        await ctx.kube.create(configMapType, makeChild(box, `d-${seen.length}`))
        // Not taken by the Informer's selector: must not block the key for ever.
        await ctx.kube.create(configMapType, makeConfigMap(namespace, `unwatched-${seen.length}`))
      }
      if (box.spec.size === 2)
        for (const child of children) await ctx.kube.delete(configMapType, refOf(child), child.metadata.uid ?? '')
      return settled
    })
    await bench.start(controller)
    await here.client.create(boxKind, makeBox(namespace, 'd', { size: 1 }))
    await eventually(() => seen.includes(1))
    await here.client.patch(boxKind, { namespace, name: 'd' }, [{ op: 'add', path: '/spec/size', value: 2 }])
    await eventually(() => seen.at(-1) === 0 && seen.length >= 3)
    expect(seen.lastIndexOf(1)).toBeLessThan(seen.length - 1)
    expect((await childrenIn(here.client, namespace)).length).toBe(0)
  }, 60_000)
})

describe('status and rest', () => {
  it('writes a status once, events once, and then sends nothing', async () => {
    const controller = makeController(namespace, async (_ctx, box) => ({
      status: { observedGeneration: box.metadata.generation, size: box.spec.size },
      outcome: { kind: 'settled' },
      events: [{ type: 'Normal', reason: 'Published', action: 'Sizing', message: `Size is ${box.spec.size}` }],
    }))
    const operator = await bench.start(controller)
    await here.client.create(boxKind, makeBox(namespace, 'quiet', { size: 3 }))
    await eventually(async () => (await bench.getBox('quiet')).status?.['size'] === 3)
    await eventually(() => operator.client.stats().requests >= 4)
    await pause(500)
    const before = operator.client.stats()
    const auditedBefore = requestsOf(here.cluster).length
    await pause(10_000)
    expect(operator.client.stats()).toEqual(before)
    expect(requestsOf(here.cluster).length).toBe(auditedBefore)
    // Two lists, one status write, one event.
    expect(before.requests).toBe(4)
    expect(before.watches).toBe(2)
  }, 60_000)

  it('shows events where kubectl describe and kubectl events look for them', async () => {
    const { kubectl, kubeconfig } = here.cluster
    const controller = makeController(namespace, async () => ({
      outcome: { kind: 'settled' },
      events: [{ type: 'Warning', reason: 'ChangedByAdmission', action: 'Looking', message: 'The box leaks' }],
    }))
    await bench.start(controller)
    await here.client.create(boxKind, makeBox(namespace, 'leaky'))
    const say = async (...args: string[]): Promise<string> => {
      return new Promise((resolve) =>
        execFile(kubectl, ['--kubeconfig', kubeconfig, '-n', namespace, ...args], (_error, stdout) => resolve(stdout)),
      )
    }
    await eventually(async () => (await say('describe', 'box', 'leaky')).includes('The box leaks'))
    const described = await say('describe', 'box', 'leaky')
    console.log(described.slice(described.indexOf('Events:')))
    console.log(await say('events'))
    expect(described).toMatch(/Warning\s+ChangedByAdmission\s+\d+s\s+appstead\.dev\/operator\s+The box leaks/)
    expect(await say('events')).toMatch(/Warning\s+ChangedByAdmission\s+Box\/leaky\s+The box leaks/)
  }, 60_000)
})

describe('failures', () => {
  it('a reconcile that throws is tried again later and costs only its key', async () => {
    let attempts = 0
    const controller = makeController(namespace, async (_ctx, box) => {
      if (box.metadata.name !== 'bad') return { status: { ok: true }, outcome: { kind: 'settled' } }
      attempts += 1
      throw new TypeError('no such thing')
    })
    await bench.start(controller)
    await here.client.create(boxKind, makeBox(namespace, 'bad'))
    await here.client.create(boxKind, makeBox(namespace, 'good'))
    await eventually(async () => (await bench.getBox('good')).status?.['ok'] === true)
    await eventually(() => attempts >= 3)
    expect(logged.some((line) => line.includes('no such thing') && line.includes('"thrown":"bug"'))).toBe(true)
  }, 60_000)

  it('a reconcile beyond its deadline is aborted and tried again', async () => {
    let attempts = 0
    const controller = makeController(namespace, async (ctx) => {
      attempts += 1
      if (attempts === 1) {
        await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve(), { once: true }))
        await ctx.kube.getLive(configMapType, { namespace, name: 'x' })
      }
      return settled
    })
    await bench.start(controller, { reconcileDeadlineSeconds: 0.2 })
    await here.client.create(boxKind, makeBox(namespace, 'slow'))
    await eventually(() => attempts >= 2)
    expect(logged.some((line) => line.includes('"code":"Aborted"'))).toBe(true)
  }, 60_000)
})
