import { describe, expect, it } from '@jest/globals'
import type { KubeObject, ResourceType } from '../../../operator/api/meta.ts'
import type { KubeClient } from '../../../operator/kube/client.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { Controller } from '../../../operator/runtime/controller.ts'
import { boxType, makeBox, makeRig, watch, type Rig } from './loopRig.ts'

interface Order {
  /** Names in the order in which they were reconciled, after one came when all others waited. */
  served(boxes: readonly KubeObject[], late: KubeObject): Promise<readonly string[]>
}

function makeOrder(flowOf?: (box: KubeObject) => readonly string[]): Order {
  const order: string[] = []
  const first = Promise.withResolvers<void>()
  const reconcile: Controller<KubeObject, unknown>['reconcile'] = async (_ctx, { metadata }) => {
    order.push(metadata.name)
    await first.promise
    return { outcome: { kind: 'settled' } }
  }
  const { loop, boxes, clock } = makeRig(flowOf === undefined ? { reconcile } : { reconcile, flowOf })
  return {
    async served(many, late) {
      boxes.replace(many, '10')
      loop.start()
      await clock.pass(0)
      boxes.upsert(late)
      loop.changed(watch, undefined, late)
      first.resolve()
      await clock.pass(0)
      await loop.stop(0)
      return order
    },
  }
}

const crowdIn = (namespace: string, project?: string): readonly KubeObject[] =>
  Array.from({ length: 200 }, (_, index) => makeBox(namespace, `crowd-${index}`, project))

const makeLate = (namespace: string, project?: string): KubeObject => makeBox(namespace, 'late', project, '11')
const byProject = (box: KubeObject): readonly string[] => [box.metadata.labels?.['project'] ?? '']

describe('fairness', () => {
  it('one object of another namespace is not served after 200 that came before it', async () => {
    const order = await makeOrder().served(crowdIn('crowded'), makeLate('lonely'))
    expect(order).toHaveLength(201)
    expect(order.indexOf('late')).toBeLessThanOrEqual(3)
  })

  it('who competes with whom is for the controller to say', async () => {
    const order = await makeOrder(byProject).served(crowdIn('all', 'crowded'), makeLate('all', 'lonely'))
    expect(order).toHaveLength(201)
    expect(order.indexOf('late')).toBeLessThanOrEqual(3)
    const together = await makeOrder(byProject).served(crowdIn('one', 'same'), makeLate('other', 'same'))
    expect(together.indexOf('late')).toBe(200)
  })
})

describe('a stop', () => {
  it('waits for a reconcile that ends within the grace', async () => {
    const server = Promise.withResolvers<void>()
    const { loop, boxes, clock, applied } = makeRig(
      {
        async reconcile(ctx, box) {
          await ctx.kube.apply(boxType, box)
          await ctx.kube.apply(boxType, { ...box, metadata: { ...box.metadata, name: 'second' } })
          return { outcome: { kind: 'settled' } }
        },
      },
      server.promise,
    )
    boxes.replace([makeBox('n', 'first')], '10')
    loop.start()
    const stopped = loop.stop(5)
    await clock.pass(4000)
    server.resolve()
    await stopped
    expect(applied).toEqual(['first', 'second'])
    expect(clock.pending()).toEqual([])
  })

  it('cuts one that does not, and nothing is written or tried again after it', async () => {
    let aborted: unknown
    const { loop, boxes, clock, applied, logged } = makeRig(
      {
        async reconcile(ctx, box) {
          await ctx.kube.apply(boxType, box).catch((error: unknown) => (aborted = error))
          await ctx.kube.apply(boxType, { ...box, metadata: { ...box.metadata, name: 'second' } })
          return { outcome: { kind: 'settled' } }
        },
      },
      new Promise(() => undefined),
    )
    boxes.replace([makeBox('n', 'first')], '10')
    loop.start()
    let isStopped = false
    const stopped = loop.stop(5).then(() => (isStopped = true))
    await clock.pass(4999)
    expect([isStopped, aborted]).toEqual([false, undefined])
    await clock.pass(1)
    await stopped
    expect(aborted).toMatchObject({ code: 'Aborted' })
    expect(applied).toEqual([])
    expect(clock.pending()).toEqual([])
    // That it was cut off is no failure of its.
    expect(logged).toEqual([])
  })
})

/** A server that loses its answer to the first write, and what it was asked; a controller that writes while its view is the first one. */
function makeLossy(get: () => Promise<KubeObject>): {
  readonly rig: Rig
  readonly asked: readonly string[]
  readonly seen: readonly (string | undefined)[]
} {
  const asked: string[] = []
  const seen: (string | undefined)[] = []
  const calls = {
    apply: async (_type: ResourceType, object: KubeObject) => {
      asked.push('apply')
      if (asked.length === 1) throw new KubeError('Timeout', 'no answer')
      return object
    },
    get: () => {
      asked.push('get')
      return get()
    },
  } as Partial<KubeClient>
  const reconcile: Controller<KubeObject, unknown>['reconcile'] = async (ctx, box) => {
    seen.push(box.metadata.resourceVersion)
    if (box.metadata.resourceVersion === '1') await ctx.kube.apply(boxType, box)
    return { outcome: { kind: 'settled' } }
  }
  return { rig: makeRig({ reconcile }, Promise.resolve(), calls), asked, seen }
}

describe('a write whose answer was lost', () => {
  it('is looked at live: nothing is decided on a view from before it', async () => {
    const { rig, asked, seen } = makeLossy(async () => makeBox('n', 'a', '', '11'))
    const { loop, boxes, clock } = rig
    boxes.replace([makeBox('n', 'a')], '10')
    loop.start()
    await clock.pass(10_000)
    expect(asked).toEqual(['apply', 'get'])
    expect(seen).toEqual(['1'])
    boxes.upsert(makeBox('n', 'a', '', '11'))
    await clock.pass(10_000)
    expect(asked).toEqual(['apply', 'get'])
    expect(seen).toEqual(['1', '11'])
    await loop.stop(0)
  })

  it('is done again when it was not done, and looked at as often as that needs', async () => {
    const answers = [new KubeError('Unavailable', 'away'), new KubeError('NotFound', 'no box')]
    const { rig, asked, seen } = makeLossy(async () => {
      throw answers.shift() ?? new Error('asked too often')
    })
    const { loop, boxes, clock } = rig
    boxes.replace([makeBox('n', 'a')], '10')
    loop.start()
    await clock.pass(10_000)
    expect(asked).toEqual(['apply', 'get', 'get', 'apply'])
    expect(seen).toEqual(['1', '1'])
    await loop.stop(0)
  })
})

describe('a write that the cache has not seen', () => {
  it('lets its key wait, which then is reconciled once', async () => {
    const seen: (string | undefined)[] = []
    const { loop, boxes, clock } = makeRig({
      async reconcile(ctx, box) {
        seen.push(box.metadata.resourceVersion)
        if (box.metadata.resourceVersion === '1') await ctx.kube.apply(boxType, makeBox('n', 'a', '', '12'))
        return { outcome: { kind: 'settled' } }
      },
    })
    boxes.onChange((before, after) => loop.changed(watch, before, after))
    boxes.replace([makeBox('n', 'a')], '10')
    loop.start()
    await clock.pass(1000)
    boxes.upsert(makeBox('n', 'a', '', '11'))
    await clock.pass(1000)
    expect(seen).toEqual(['1'])
    boxes.upsert(makeBox('n', 'a', '', '12'))
    await clock.pass(1000)
    expect(seen).toEqual(['1', '12'])
    await loop.stop(0)
  })
})

describe('a status that the server does not take', () => {
  it('is written ever more seldom', async () => {
    const at: number[] = []
    const { loop, boxes, clock } = makeRig(
      { reconcile: async () => ({ status: { a: 1 }, outcome: { kind: 'settled' } }) },
      Promise.resolve(),
      {},
      {
        writeStatus: async () => {
          at.push(clock.now())
          throw new KubeError('Forbidden', 'no')
        },
      },
    )
    boxes.replace([makeBox('n', 'a')], '10')
    loop.start()
    await clock.pass(60_000)
    expect(at.length).toBeLessThan(15)
    await loop.stop(0)
  })
})

describe('an object that is made anew on another cluster before its end was looked at', () => {
  it('is left to that one', async () => {
    const reconciled: string[] = []
    const first = Promise.withResolvers<void>()
    const { loop, boxes, clock } = makeRig(
      {
        placedBy: (box) => box,
        reconcile: async (_ctx, { metadata }) => {
          reconciled.push(metadata.uid ?? '')
          await first.promise
          return { outcome: { kind: 'settled' } }
        },
      },
      Promise.resolve(),
      {},
      { placement: ({ metadata }) => metadata.labels?.['project'] ?? '' },
    )
    boxes.onChange((before, after) => loop.changed(watch, before, after))
    boxes.replace([makeBox('n', 'a', 'local')], '10')
    loop.start()
    await clock.pass(0)
    const there = makeBox('n', 'a', 'other', '12')
    boxes.remove(makeBox('n', 'a', 'local', '11'))
    boxes.upsert({ ...there, metadata: { ...there.metadata, uid: 'anew' } })
    first.resolve()
    await clock.pass(1000)
    expect(reconciled).toEqual(['uid-n-a'])
    await loop.stop(0)
  })
})

describe('what is refused to a controller, and not said in a status', () => {
  it.each([
    ['Forbidden', 'Forbidden'],
    ['Invalid', 'RefusedByServer'],
  ] as const)('because it is %s is told in an Event, once', async (code, reason) => {
    const told: string[] = []
    const create = async (_type: ResourceType, event: KubeObject) => {
      told.push(`${(event as unknown as { reason: string }).reason} ${event.metadata.namespace}`)
      return event
    }
    const reconcile = () => Promise.reject(new KubeError(code, 'not this one'))
    const { loop, boxes, clock } = makeRig({ reconcile }, Promise.resolve(), { create })
    boxes.replace([makeBox('n', 'a')], '10')
    loop.start()
    await clock.pass(10_000)
    expect(told).toEqual([`${reason} n`])
    await loop.stop(0)
  })
})
