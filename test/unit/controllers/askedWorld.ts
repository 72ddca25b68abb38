import type { AppInstance } from '../../../operator/api/appInstance.ts'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import type { AppTask } from '../../../operator/api/appTask.ts'
import { appInstanceKind } from '../../../operator/api/appInstance.ts'
import { appTaskKind } from '../../../operator/api/appTask.ts'
import type { KubeObject, Ref, ResourceType } from '../../../operator/api/meta.ts'
import { keyOf, refOf } from '../../../operator/api/meta.ts'
import { appTask } from '../../../operator/controllers/appTask/controller.ts'
import { runAsked } from '../../../operator/controllers/appInstance/manualActions.ts'
import { observe } from '../../../operator/controllers/appInstance/observe.ts'
import type { Findings } from '../../../operator/controllers/appInstance/report.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { actionJobName } from '../../../operator/render/names.ts'
import { releaseToRun } from '../../../operator/status/appRelease.ts'
import type { Ctx, Reader, Writer } from '../../../operator/runtime/controller.ts'
import { ctxOf, decide, now, readerOf, stored, withRevisions } from '../../render/world.ts'
import { nothing } from '../apply/server.ts'
import { objects } from './instance.ts'

/** A cluster in which an instance runs a good release, and users ask for actions of it. */

export const web = {
  name: 'web',
  ports: [{ port: 8080 }],
  actions: [
    { name: 'seed', command: ['seed'], run: 'Manual' },
    { name: 'clear', command: ['clear'], run: 'Manual' },
    { name: 'migrate', command: ['migrate'], run: 'BeforeDeploy' },
  ],
}

export const secondsAgo = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString()

type Loose = KubeObject & { readonly spec?: Readonly<Record<string, unknown>>; readonly status?: object }

/** The process died here. */
export class Crash extends Error {}

/** One that asks for `seed`, unless it is said otherwise. */
export function askFor(
  name: string,
  { spec = {}, ageSeconds = 60 }: { spec?: object; ageSeconds?: number } = {},
): AppTask {
  return stored({
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppTask',
    metadata: { name, namespace: 'team', uid: `uid-of-${name}`, creationTimestamp: secondsAgo(ageSeconds) },
    spec: { instance: 'hello-dev', type: 'Action', action: { service: 'web', name: 'seed' }, ...spec },
  }) as AppTask
}

export class AskedWorld {
  readonly #objects = new Map<string, Loose>()
  #version = 0
  #uids = 0
  /** What was written, as `verb Kind name`. */
  readonly writes: string[] = []
  /** The uids of the Jobs that were let go: each is a pod. */
  readonly started = new Set<string>()
  /** The number of the write at which the process dies, and whether that write is still done. */
  crash: { readonly at: number; readonly isDone: boolean } | undefined
  /** The write that an admin's rule refuses, such as `apply Job`. */
  refused: string | undefined

  /** In: more objects, and what the instance's spec says besides. */
  static async with(more: readonly KubeObject[], spec: object = {}): Promise<AskedWorld> {
    const world = new AskedWorld()
    const instance = { ...objects.instance, spec: { ...objects.instance.spec, ...spec } }
    const app = { ...objects.app, spec: { stack: { services: [web] } } }
    const base = await withRevisions([objects.system, objects.project, objects.env, app, { ...objects.instance }])
    const release = decide(base).release!
    for (const each of [...base, stored(instance), good(release), ...more]) world.put(each)
    return world
  }

  put(object: KubeObject): KubeObject {
    const { uid = `uid-${(this.#uids += 1)}` } = object.metadata
    const metadata = { ...object.metadata, uid, resourceVersion: String((this.#version += 1)) }
    const whole = { ...object, metadata } as Loose
    this.#objects.set(idOf(whole, refOf(whole)), whole)
    if (whole.kind === 'Job' && whole.spec?.['suspend'] === false) this.started.add(uid)
    return whole
  }

  remove(kind: string, ref: Ref): void {
    this.#objects.delete(idOf({ kind }, ref))
  }

  find<T extends KubeObject>(kind: string, ref: Ref): T | undefined {
    return this.#objects.get(idOf({ kind }, ref)) as T | undefined
  }

  list(kind: string): readonly Loose[] {
    return [...this.#objects.values()].filter((each) => each.kind === kind)
  }

  task(name: string): AppTask | undefined {
    return this.find<AppTask>('AppTask', { namespace: 'team', name })
  }

  /** `status reason: message` of the condition Succeeded. */
  told(name: string): string {
    const [succeeded] = this.task(name)?.status?.conditions ?? []
    return succeeded ? `${succeeded.status} ${succeeded.reason}: ${succeeded.message}` : ''
  }

  /** What a process sees that begins now. */
  view(): Reader {
    return readerOf([...this.#objects.values()])
  }

  /** As `pass`; what ended it early is thrown. */
  async turn(found: Partial<Findings> = {}, view = this.view()): Promise<Findings> {
    const asked = await this.pass(found, view)
    if (asked.thrown) throw asked.thrown
    return asked
  }

  /** One reconcile of the instance, by this view; `found`: what came of the rest of it. */
  async pass(found: Partial<Findings> = {}, view = this.view()): Promise<Findings> {
    const ctx = this.#ctx(view)
    const instance = view.get<AppInstance>(appInstanceKind, refOf(objects.instance))!
    const seen = observe(ctx, instance)
    const applied = { ...nothing, pruned: [] }
    const release = releaseToRun(seen.releases)
    const none = { objection: undefined, rollout: [], changes: [], failed: undefined, applied, release }
    return runAsked(ctx, seen, { ...none, ...found })
  }

  /** One reconcile of an AppTask by the controller of those whose instance is not there. */
  async orphan(name: string, workingSeconds = 10_000, view = this.view()): Promise<unknown> {
    const { outcome } = await appTask.reconcile(
      { ...this.#ctx(view), workingSeconds },
      view.get(appTaskKind, { namespace: 'team', name })!,
    )
    return outcome
  }

  /** Jobs do what they are let do. */
  finish(end: 'Complete' | 'Failed' = 'Complete'): void {
    for (const job of this.list('Job')) {
      if (job.spec?.['suspend'] !== false) continue
      const lastTransitionTime = secondsAgo(30)
      this.put({
        ...job,
        status: { conditions: [{ type: end, status: 'True', reason: 'BackoffLimitExceeded', lastTransitionTime }] },
      } as KubeObject)
    }
  }

  #ctx(cache: Reader): Ctx {
    const kube = this.#writer()
    return { ...ctxOf(cache, () => undefined), kube, target: { cache, kube } }
  }

  #writer(): Writer {
    const find = (type: ResourceType, ref: Ref): Loose | undefined => this.find(type.kind, ref)
    const status = async (
      type: ResourceType,
      object: KubeObject,
      next: unknown,
      isExact: boolean,
    ): Promise<KubeObject> =>
      this.#write(`status ${type.kind}`, object.metadata.name, () => {
        const held = find(type, refOf(object))
        if (!held) throw new KubeError('NotFound', 'gone')
        if (isExact && held.metadata.resourceVersion !== object.metadata.resourceVersion)
          throw new KubeError('Conflict', 'changed')
        return this.put({ ...held, status: next } as KubeObject)
      })
    return {
      create: async (type, object) =>
        this.#write(`create ${type.kind}`, object.metadata.name, () => {
          if (find(type, refOf(object))) throw new KubeError('AlreadyExists', 'taken')
          return this.put(object)
        }),
      apply: async (type, object) =>
        this.#write(`apply ${type.kind}`, object.metadata.name, () => {
          const held = find(type, refOf(object))
          if (held?.metadata.uid !== object.metadata.uid) throw new KubeError('Conflict', 'another')
          return this.put({ ...held, spec: { ...held?.spec, ...(object as Loose).spec } } as unknown as KubeObject)
        }),
      writeStatus: (type, object, next) => status(type, object, next, false),
      recordStatus: (type, object, next) => status(type, object, next, true),
      delete: async (type, ref, uid) => {
        this.#write(`delete ${type.kind}`, ref.name, () => {
          const held = find(type, ref)
          if (held?.metadata.uid === uid) this.#objects.delete(idOf(type, ref))
          return held!
        })
      },
      getLive: async (type, ref) => find(type, ref),
      listLive: () => Promise.resolve([]),
    }
  }

  #write(what: string, name: string, act: () => KubeObject): KubeObject {
    if (what === this.refused) throw new KubeError('Forbidden', 'jobs.batch: a rule of an admin')
    this.writes.push(`${what} ${name}`)
    const isHere = this.crash?.at === this.writes.length
    if (isHere && !this.crash?.isDone) throw new Crash()
    const done = act()
    if (isHere) throw new Crash()
    return done
  }
}

/** Reconciles until nothing is written any more, also over the death of a process. */
export async function settle(world: AskedWorld): Promise<void> {
  for (let before = -1; before !== world.writes.length;) {
    before = world.writes.length
    try {
      await world.turn()
    } catch (error) {
      if (!(error instanceof Crash)) throw error
    }
  }
}

function idOf({ kind }: { readonly kind: string }, ref: Ref): string {
  return `${kind} ${keyOf(ref)}`
}

const rolledOut = { type: 'Succeeded', status: 'True', reason: 'RolledOut', message: '', lastTransitionTime: '' }

/** A release that was rolled out, its actions with it. */
export function good(release: AppRelease): AppRelease {
  const made = { ...release, metadata: { ...release.metadata, uid: `uid-of-${release.metadata.name}` } }
  const actions = [{ service: 'web', name: 'migrate', job: actionJobName(made, 'web', 'migrate'), state: 'Succeeded' }]
  return { ...made, status: { observedGeneration: 1, conditions: [rolledOut], actions } } as AppRelease
}
