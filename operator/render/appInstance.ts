import type { Access } from '../api/access.ts'
import type { AppInstance } from '../api/appInstance.ts'
import type { AppRelease } from '../api/appRelease.ts'
import type { ResolvedService, RunningService } from '../api/service/resolvedService.ts'
import { mostReplicas } from '../api/service/scale.ts'
import { configMapType, jobType, secretType } from '../api/builtin.ts'
import type { Quota } from '../api/quota.ts'
import { copiesOf, makeCopy } from './copies.ts'
import { makeDeployment } from './deployment.ts'
import { filesConfigMapName, makeFilesConfigMap } from './files.ts'
import { makeHorizontalPodAutoscaler } from './horizontalPodAutoscaler.ts'
import type { Owner } from './labels.ts'
import type { ReleaseAction } from './job.ts'
import { actionsAfter, actionsBefore, makeActionJob } from './job.ts'
import { actionJobName } from './names.ts'
import type { Claim } from './namespace.ts'
import { makeNamespace, makeServiceAccount } from './namespace.ts'
import { makeBaseNetworkPolicy, makeHttpNetworkPolicy } from './networkPolicy.ts'
import { makePersistentVolumeClaims, type ClaimAsIs } from './persistentVolumeClaim.ts'
import type { Desired, Plan, Stage } from './plan.ts'
import { makePodDisruptionBudget } from './podDisruptionBudget.ts'
import { makeGeneratedSecret } from './secret.ts'
import { makeResourceQuota } from './resourceQuota.ts'
import { makeRoleBindings } from './roleBindings.ts'
import { makeService } from './service.ts'

/** Raised by one whenever the same release would render other pods; older releases keep rendering as they did. */
export const renderVersion = 1

/** Releases, counted from the newest, of which the Jobs stay. */
const releasesWithJobs = 3
/** The stages that make what the first release needs: with them an instance is created. */
export const creationStages: readonly string[] = ['namespace', 'configuration']

/** Who the objects of an instance are made for. */
export function ownerOf(instance: AppInstance): Owner {
  return {
    app: instance.spec.app,
    env: instance.spec.env,
    instance: instance.metadata.name,
    project: instance.metadata.namespace ?? '',
  }
}

interface Input {
  readonly owner: Owner
  readonly claim: Claim
  /** The release that should run: pods are rendered from it alone. */
  readonly release: AppRelease
  /** Its services as they are to run now. */
  readonly services: readonly RunningService[]
  /** Older releases that are kept: what they name is not pruned. */
  readonly kept: readonly AppRelease[]
  /** What the App says of who may do what in the namespace. */
  readonly access: readonly Access[]
  /** What the AppEnv lets the instance have; undefined for no limit. */
  readonly quota: Quota | undefined
  /** Of `kept`, those whose pods may still be there. */
  readonly replaced: readonly AppRelease[]
  /** The PersistentVolumeClaims in the namespace, by name. */
  readonly claims: ReadonlyMap<string, ClaimAsIs>
}

/**
 * What should exist for an instance.
 * In: its owner and claim, the release that should run and its services as they are to run now, the releases and the
 * volumes' claims that are there. Out: the plan, stage by stage: the namespace, what pods need before they start, the
 * actions before the roll-out, the services, those that depend on others after them, what scales them, the actions after
 * the roll-out.
 */
export function renderInstance(input: Input): Plan {
  const { owner, claim, release, services, kept, access, claims } = input
  const jobsOf = (actions: readonly ReleaseAction[]): Desired[] =>
    actions.map((action) => makeActionJob(owner, release, action))
  const before = inARow(jobsOf(actionsBefore(release)))
  const last = before.at(-1)?.object.metadata.name
  const after = inARow(jobsOf(actionsAfter(release)), last)
  const all = services.map(({ name }) => name)
  return {
    stages: [
      { name: 'namespace', objects: [makeNamespace(owner, claim)] },
      {
        name: 'configuration',
        objects: [
          makeServiceAccount(owner),
          ...makeRoleBindings(owner, access),
          makeBaseNetworkPolicy(owner),
          ...resourceQuotaOf(input),
          ...copiesOf(services).map((copy) => makeCopy(owner, copy)),
          ...services.flatMap((service) => configurationOf(owner, service)),
          ...makePersistentVolumeClaims(owner, services, claims),
        ],
      },
      ...stageOf('actions', before),
      ...serviceStages(owner, services, last),
      ...stageOf('autoscaling', autoscalersOf(owner, services, last)),
      ...stageOf(
        'actions after',
        after.map((job) => ({ ...job, after: all })),
      ),
    ],
    keep: [...kept.flatMap(configurationNames), ...kept.slice(0, releasesWithJobs).flatMap(jobNamesOf)],
  }
}

function resourceQuotaOf({ owner, quota, services, replaced }: Input): Desired[] {
  const before = replaced.map(({ spec }) => spec.services)
  return quota ? [makeResourceQuota(owner, quota, services, before)] : []
}

function stageOf(name: string, objects: readonly Desired[]): Stage[] {
  return objects.length > 0 ? [{ name, objects }] : []
}

/** Each waits for the one before it; the first for `previous`: where no replica changes, all is rolled out at once. */
function inARow(jobs: readonly Desired[], previous?: string): Desired[] {
  return jobs.map((job, index) => {
    const afterJob = jobs[index - 1]?.object.metadata.name ?? previous
    return afterJob === undefined ? job : { ...job, afterJob }
  })
}

function configurationOf(owner: Owner, service: ResolvedService): Desired[] {
  return [
    ...makeFilesConfigMap(owner, service),
    ...service.generatedSecrets
      .filter((secret) => secret.service === undefined)
      .map((secret) => makeGeneratedSecret(owner, service, secret)),
  ]
}

/** A service stands in the first stage after all that it depends on, and waits for the last action before the roll-out. */
function serviceStages(owner: Owner, services: readonly RunningService[], afterJob: string | undefined): Stage[] {
  const levels = levelsOf(services)
  const last = Math.max(...levels.values())
  return Array.from({ length: last + 1 }, (_, level) => ({
    name: level === 0 ? 'services' : `services ${level + 1}`,
    objects: services
      .filter(({ name }) => levels.get(name) === level)
      .flatMap((each) => workloadOf(owner, each, afterJob)),
  }))
}

/** 0 for a service that depends on none; the services it depends on stand before it in the list. */
function levelsOf(services: readonly ResolvedService[]): ReadonlyMap<string, number> {
  const levels = new Map<string, number>()
  for (const { name, dependsOn = [] } of services) {
    levels.set(name, Math.max(0, ...dependsOn.map((needed) => (levels.get(needed) ?? -1) + 1)))
  }
  return levels
}

function workloadOf(owner: Owner, service: RunningService, afterJob: string | undefined): Desired[] {
  const objects = [
    ...(service.ports.length > 0 ? [makeService(owner, service)] : []),
    ...(service.ports.some(({ protocol }) => protocol === 'HTTP') ? [makeHttpNetworkPolicy(owner, service)] : []),
    ...(needsBudget(service) ? [makePodDisruptionBudget(owner, service)] : []),
    makeDeployment(owner, service),
  ]
  return waiting(service, objects, afterJob)
}

/** What goes to no replica waits for nobody. */
function waiting(
  { dependsOn: after, asked }: RunningService,
  objects: readonly Desired[],
  afterJob: string | undefined,
): Desired[] {
  if (asked === 0) return [...objects]
  const conditions = { ...(after && { after }), ...(afterJob !== undefined && { afterJob }) }
  return objects.map((desired) => ({ ...desired, ...conditions }))
}

/** After all Deployments: one that is not there yet would be a failure to its autoscaler. */
function autoscalersOf(owner: Owner, services: readonly RunningService[], afterJob: string | undefined): Desired[] {
  return services.flatMap((service) => {
    const { autoscaling } = service
    return autoscaling ? waiting(service, [makeHorizontalPodAutoscaler(owner, service, autoscaling)], afterJob) : []
  })
}

/** The Jobs of a release, whose pods hold the logs. */
function jobNamesOf(release: AppRelease): Plan['keep'][number][] {
  return [...actionsBefore(release), ...actionsAfter(release)].map(({ service, action }) => ({
    type: jobType,
    name: actionJobName(release, service.name, action.name),
  }))
}

/**
 * Replicas that must share a node with those of before can only leave it all at once: a budget would hold up the drain of
 * their node for ever.
 */
function needsBudget(service: ResolvedService): boolean {
  return mostReplicas(service) >= 2 && service.sameNode === undefined
}

function configurationNames({ spec: { services } }: AppRelease): Plan['keep'][number][] {
  const files = services.flatMap((service) => filesConfigMapName(service) ?? [])
  return [
    ...files.map((name) => ({ type: configMapType, name })),
    ...copiesOf(services).map(({ name }) => ({ type: secretType, name })),
  ]
}
