import { describe, expect, it } from '@jest/globals'
import type { AppInstance } from '../../../operator/api/appInstance.ts'
import { appLockKind, maxLocked, type AppLock } from '../../../operator/api/appLock.ts'
import { namespaceType } from '../../../operator/api/builtin.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { appLock } from '../../../operator/controllers/appLock/controller.ts'
import { makeAppLock } from '../../../operator/render/appLock.ts'
import { ctxOf, readerOf } from '../../render/world.ts'

const apiVersion = 'appstead.dev/v1alpha1'
const uid = '33333333-3333-4333-8333-333333333333'
const project = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team', uid: 'project' } }

function instance(name: string, since?: string, more: object = {}): AppInstance {
  const condition = { type: 'OperationsBlocked', status: 'True', reason: 'NamespaceConflict', message: '' }
  return {
    apiVersion,
    kind: 'AppInstance',
    metadata: { namespace: 'team', name, uid, ...more },
    spec: { app: 'shop', env: 'dev', replicas: 1 },
    status: { observedGeneration: 1, conditions: since ? [{ ...condition, lastTransitionTime: since }] : [] },
  } as unknown as AppInstance
}

const first = instance('shop-a', '2026-01-01T00:00:00Z')
const second = instance('shop-b', '2026-01-02T00:00:00Z', { deletionTimestamp: '2026-01-01T00:00:00Z' })
const free = instance('shop-c')

/** What a reconcile of the project writes, as `apply` and `delete`. */
async function writes(...objects: readonly KubeObject[]): Promise<readonly string[]> {
  const done: string[] = []
  const ctx = ctxOf(readerOf([project, ...objects]), () => undefined)
  const kube: typeof ctx.kube = {
    ...ctx.kube,
    apply(_type, object) {
      const { locked } = (object as AppLock).spec
      done.push(`apply ${locked.map(({ name }) => name).join()}`)
      return Promise.resolve(object)
    },
    delete(type, { namespace, name }) {
      done.push(`delete ${type.kind} ${namespace}/${name}`)
      return Promise.resolve()
    },
  }
  await appLock.reconcile({ ...ctx, kube }, project)
  return done
}

const keysOf = (type: { readonly plural: string }, object: KubeObject, ...others: readonly KubeObject[]): unknown =>
  appLock.watches.find((watch) => watch.type.plural === type.plural)!.keys(object, readerOf([object, ...others]))

describe('the AppLock of a project', () => {
  it('names what is locked, first locked first, with uid, class, reason and time', () => {
    expect(makeAppLock('team', [second, free, first])?.spec.locked).toEqual([
      { name: 'shop-a', uid, class: 'Creation', reason: 'NamespaceConflict', since: '2026-01-01T00:00:00Z' },
      { name: 'shop-b', uid, class: 'Cleanup', reason: 'NamespaceConflict', since: '2026-01-02T00:00:00Z' },
    ])
    expect(makeAppLock('team', [free])).toBeUndefined()
  })

  it('never holds more than it can', () => {
    const many = Array.from({ length: maxLocked + 1 }, (_, index) =>
      instance(`shop-${String(index).padStart(4, '0')}`, '2026-01-01T00:00:00Z'),
    )
    const locked = makeAppLock('team', many)?.spec.locked ?? []
    expect([locked.length, locked.at(-1)?.name]).toEqual([maxLocked, `shop-${maxLocked - 1}`])
  })

  it('is written only when it is not so, and goes with the last lock', async () => {
    const held = makeAppLock('team', [first])!
    expect(await writes(first, free)).toEqual(['apply shop-a'])
    expect(await writes(first, free, held)).toEqual([])
    expect(await writes(first, second, held)).toEqual(['apply shop-a,shop-b'])
    expect(await writes(free, held)).toEqual(['delete AppLock team/locks'])
    expect(await writes(free)).toEqual([])
  })

  it('is not made in a project that is going away', async () => {
    const leaving = { ...project, metadata: { ...project.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
    const done: KubeObject[] = []
    await appLock.reconcile(
      ctxOf(readerOf([leaving, first]), (object) => done.push(object)),
      leaving,
    )
    expect(done).toEqual([])
  })

  it('is looked at for the sake of what is locked, or was, and nothing else', () => {
    const key = [{ namespace: '', name: 'team' }]
    const held = makeAppLock('team', [first])!
    expect(keysOf(namespaceType, project)).toEqual([])
    expect(keysOf(namespaceType, project, first)).toEqual(key)
    expect(keysOf(namespaceType, project, held)).toEqual(key)
    expect(keysOf({ plural: 'appinstances' }, free)).toEqual([])
    expect(keysOf({ plural: 'appinstances' }, first)).toEqual(key)
    expect(keysOf(appLockKind, held)).toEqual(key)
  })
})
