import type { App } from '../../api/app.ts'
import { appKind } from '../../api/app.ts'
import type { AppEnv } from '../../api/appEnv.ts'
import { appEnvKind } from '../../api/appEnv.ts'
import type { AppInstance } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import type { AppStackRevision } from '../../api/appStackRevision.ts'
import { appStackKind } from '../../api/appStack.ts'
import { appStackRevisionKind } from '../../api/appStackRevision.ts'
import { similarNames } from '../../api/similar.ts'
import type { ActionTask, AppTask, Attempt } from '../../api/appTask.ts'
import { appTaskKind, isActionTask, isAttempt } from '../../api/appTask.ts'
import { namespaceType, podType } from '../../api/builtin.ts'
import type { KubeObject, Ref, ResourceType } from '../../api/meta.ts'
import { keyOf, labels, refOf } from '../../api/meta.ts'
import type { StackService } from '../../api/service/stackService.ts'
import type { Owned } from '../../apply/execute.ts'
import type { Input } from '../../render/resolve/input.ts'
import type { Resolved } from '../../render/resolve/resolve.ts'
import { resolve } from '../../render/resolve/resolve.ts'
import { withAppDefaults } from '../../render/resolve/said.ts'
import type { Claim } from '../../render/namespace.ts'
import { upgradesItself } from '../../render/resolve/upgrade.ts'
import type { Reader } from '../../runtime/controller.ts'
import type { Storage } from '../../status/claims.ts'
import type {
  ObservedChild,
  ObservedDeployment,
  ObservedJob,
  ObservedNamespace,
  ObservedPod,
  ObservedProbe,
} from '../../status/observed.ts'
import { actionJobsOf } from '../actions.ts'
import { byTurn, isFor } from '../actionTasks.ts'
import { childTypes } from '../informers.ts'
import { releasesOf } from '../releases.ts'
import { isBeingPublished, latestOf, revisionsOf, servicesReleased, stackOf } from '../revisions.ts'
import { boundsOf, deploymentsOf, probesOf } from '../rollout.ts'
import { storageOf } from '../storage.ts'
import { referencesOf } from './sources.ts'

/** Everything a reconcile of an instance knows; taken from the cache at once. */
export interface Observed extends Storage {
  readonly instance: AppInstance
  readonly app: App | undefined
  readonly env: AppEnv | undefined
  /** Name under which the App's stack publishes; undefined without App. */
  readonly stack: string | undefined
  /** Of that stack. */
  readonly latest: AppStackRevision | undefined
  /** It has no release yet, and its stack has content that is in no revision yet. */
  readonly awaitsRevision: boolean
  /** The one this instance wants: pinned, else that of the newest release, else the latest. */
  readonly revision: AppStackRevision | undefined
  /** Of this very instance (uid), newest first. */
  readonly releases: readonly AppRelease[]
  /** The services of their AppStackRevisions with the App's defaults, by the names of those; without those that are gone. */
  readonly stacks: ReadonlyMap<string, readonly StackService[]>
  /** The tries to create or remove this very instance (uid). */
  readonly tasks: readonly Attempt[]
  /** The AppTasks by which users ask for actions of this very instance, in the order in which they are run. */
  readonly asked: readonly ActionTask[]
  readonly namespace: ObservedNamespace | undefined
  readonly projectUid: string
  readonly hubUid: string
  readonly owned: readonly Owned[]
  readonly deployments: ReadonlyMap<string, ObservedDeployment>
  /** Bounds of its autoscalers, by the name of their service; undefined of those that another changed. */
  readonly bounds: ReturnType<typeof boundsOf>
  /** Replicas. */
  readonly pods: readonly ObservedPod[]
  /** Those that fail, of pods in the namespace. */
  readonly probes: readonly ObservedProbe[]
  /** The Jobs of actions. */
  readonly jobs: readonly ObservedJob[]
  /** Of those Jobs. */
  readonly jobPods: readonly ObservedPod[]
  /** Names like the one that is missing, of the App, the AppEnv, the AppStack or the AppStackRevision. */
  readonly similar: readonly string[]
  /** What the spec asks for; undefined while something it refers to is missing. */
  readonly wanted: Resolved | undefined
  /** What that was resolved from. */
  readonly input: Input | undefined
}

/** What the instance's namespace records of whose it is. */
export function claimOf({ instance, projectUid, hubUid }: Observed): Claim {
  return { instanceUid: instance.metadata.uid ?? '', projectUid, hubUid }
}

/** The caches of the hub and of the cluster an instance runs on, and when they are looked at. */
interface Caches {
  readonly cache: Reader
  readonly target: { readonly cache: Reader }
  readonly now: Date
}

/** Reads the caches of the hub and of the cluster the instance runs on; nothing else. */
export function observe({ cache, target, now }: Caches, instance: AppInstance): Observed {
  const project = instance.metadata.namespace ?? ''
  const app = cache.get<App>(appKind, { namespace: project, name: instance.spec.app })
  const env = cache.get<AppEnv>(appEnvKind, { namespace: '', name: instance.spec.env })
  const stack = app && stackOf(app)
  const releases = releasesOf(cache, refOf(instance), instance.metadata.uid)
  const latest = stack && latestOf(cache, stack)
  const revision = revisionFor(cache, { instance, env, stack: stack?.name, latest, releases })
  const namespace = namespaceOf(target.cache, instance.metadata.name)
  return {
    instance,
    app,
    env,
    stack: stack?.name,
    latest,
    awaitsRevision: app !== undefined && releases.length === 0 && isBeingPublished(cache, app),
    revision,
    releases,
    ...tasksOf(cache, instance),
    stacks: stacksOf(cache, { app, env, releases }),
    namespace,
    projectUid: namespaceOf(cache, project)?.metadata.uid ?? '',
    hubUid: namespaceOf(cache, 'kube-system')?.metadata.uid ?? '',
    ...childrenOf(target.cache, instance, namespace),
    ...storageOf(target.cache, instance.metadata.name, now),
    similar: similarTo(cache, { instance, app, env, stack, latest, revision }),
    ...wantedBy(cache, { instance, app, env, revision, releases }),
  }
}

/** Looked for only while something is missing: the first that is. */
function similarTo(
  cache: Reader,
  {
    instance,
    app,
    env,
    stack,
    latest,
    revision,
  }: Pick<Observed, 'instance' | 'app' | 'env' | 'latest' | 'revision'> & { readonly stack: Ref | undefined },
): readonly string[] {
  const { metadata, spec } = instance
  const here = (type: ResourceType): readonly KubeObject[] =>
    cache.list(type).filter((each) => each.metadata.namespace === metadata.namespace)
  if (!app) return like(spec.app, here(appKind))
  if (!env) return like(spec.env, cache.list(appEnvKind))
  if (stack && !latest) return like(stack.name, here(appStackKind))
  const pinned = spec.stack?.revision
  return stack && !revision && pinned !== undefined ? like(pinned, revisionsOf(cache, stack)) : []
}

function like(name: string, objects: readonly KubeObject[]): readonly string[] {
  const names = objects.map(({ metadata }) => metadata.name)
  return similarNames(name, names)
}

function wantedBy(
  cache: Reader,
  { instance, app, env, revision, releases }: Pick<Observed, 'instance' | 'app' | 'env' | 'revision' | 'releases'>,
): Pick<Observed, 'wanted' | 'input'> {
  if (!app || !env || !revision) return { wanted: undefined, input: undefined }
  const references = referencesOf(cache, instance, releases)
  const services = withAppDefaults(revision.spec.services, app, env)
  const input = { instance, app, env, services, references }
  return { wanted: resolve(input), input }
}

/** The pinned revision; the latest for one that follows it; else that of the newest release, at first the latest. */
function revisionFor(
  cache: Reader,
  {
    instance,
    env,
    stack,
    latest,
    releases: [newest],
  }: Pick<Observed, 'instance' | 'env' | 'stack' | 'latest' | 'releases'>,
): AppStackRevision | undefined {
  const { namespace = '' } = instance.metadata
  const named = (name: string): AppStackRevision | undefined => cache.get(appStackRevisionKind, { namespace, name })
  const pinned = instance.spec.stack?.revision
  if (pinned !== undefined) return named(pinned)
  if (!newest || upgradesItself(instance, env)) return latest
  const current = named(newest.spec.stackRevision)
  // An App that changed its stack takes along the instances that pin nothing.
  return current && latest && current.spec.stack !== stack ? latest : current
}

function namespaceOf(cache: Reader, name: string): ObservedNamespace | undefined {
  return cache.get<ObservedNamespace>(namespaceType, { namespace: '', name })
}

function tasksOf(cache: Reader, instance: AppInstance): Pick<Observed, 'tasks' | 'asked'> {
  const { uid } = instance.metadata
  const tasks = cache.byIndex<AppTask>(appTaskKind, 'instance', keyOf(refOf(instance)))
  return {
    tasks: tasks.filter(isAttempt).filter(({ spec }) => spec.instanceUid === uid),
    asked: tasks
      .filter(isActionTask)
      .filter((task) => isFor(task, uid))
      .toSorted(byTurn),
  }
}

function stacksOf(
  cache: Reader,
  { app, env, releases }: Pick<Observed, 'app' | 'env' | 'releases'>,
): Observed['stacks'] {
  return new Map(
    releases.flatMap((release) => {
      const services = servicesReleased(cache, release)
      if (!services) return []
      return [[release.spec.stackRevision, app && env ? withAppDefaults(services, app, env) : services] as const]
    }),
  )
}

function childrenOf(
  cache: Reader,
  instance: AppInstance,
  namespace: ObservedChild | undefined,
): Pick<Observed, 'owned' | 'deployments' | 'bounds' | 'pods' | 'probes' | 'jobs' | 'jobPods'> {
  const { name } = instance.metadata
  const isOurs = ({ metadata }: ObservedChild): boolean => metadata.labels?.[labels.instance] === name
  const children = childTypes.flatMap((type) =>
    cache
      .byIndex<ObservedChild>(type, 'namespace', name)
      .filter(isOurs)
      .map((object): Owned => ({ type, object, digest: object.digest })),
  )
  const claimed: Owned[] = namespace ? [{ type: namespaceType, object: namespace, digest: namespace.digest }] : []
  return {
    owned: [...claimed, ...children],
    deployments: deploymentsOf(cache, name),
    bounds: boundsOf(cache, name),
    pods: cache.byIndex<ObservedPod>(podType, 'namespace', name).filter(({ run }) => run === undefined),
    probes: probesOf(cache, name),
    ...actionJobsOf(cache, name),
  }
}
