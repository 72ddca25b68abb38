import type { AppRelease } from '../api/appRelease.ts'
import type { ActionTask, AppTaskStatus } from '../api/appTask.ts'
import { apiVersionOf, jobType } from '../api/builtin.ts'
import type { KubeObject, Metadata } from '../api/meta.ts'
import { annotations, labels } from '../api/meta.ts'
import type { Action, ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { actionPodLabels, serviceLabels } from './labels.ts'
import { actionJobName, actionLabel, taskJobName } from './names.ts'
import type { Desired } from './plan.ts'
import { actionPodSpec, nodeLabels } from './pod.ts'

/** How much longer a Job may take than its pod: for one that no node takes or that may not be made. */
const startSeconds = 60

/** An action of a service, as a release runs it. */
export interface ReleaseAction {
  readonly service: ResolvedService
  readonly action: Action
}

/** What a release runs before its replicas change, in the order in which it is run. Pure. */
export function actionsBefore({ spec }: AppRelease): ReleaseAction[] {
  return actionsOf(spec.services, ({ run }) => run === 'BeforeDeploy')
}

/** What a release runs once it is rolled out, in the order in which it is run. Pure. */
export function actionsAfter({ spec }: AppRelease): ReleaseAction[] {
  return actionsOf(
    spec.services,
    ({ run }) => run === 'AfterDeploy' || (run === 'AfterUpgrade' && spec.upgradedFrom !== undefined),
  )
}

function actionsOf(services: readonly ResolvedService[], runs: (action: Action) => boolean): ReleaseAction[] {
  return services.flatMap((service) => (service.actions ?? []).filter(runs).map((action) => ({ service, action })))
}

/** What may be run from a release by hand. Pure. */
export function actionsByHand({ spec }: AppRelease): ReleaseAction[] {
  return actionsOf(spec.services, ({ run }) => run === 'Manual')
}

/**
 * The Job of one action of a release: one pod, which passes Pod Security `restricted`, started once. It is started again
 * only where its node took it away before it had ended.
 */
export function makeActionJob(owner: Owner, release: AppRelease, { service, action }: ReleaseAction): Desired {
  const name = actionJobName(release, service.name, action.name)
  const marks = { [annotations.release]: release.metadata.name }
  return { type: jobType, mode: 'run', object: jobOf(owner, { service, action }, { name, annotations: marks }) }
}

/** The Job of an action that a user asks for, from a release: the like, but held, so that it has no pod yet. */
export function makeTaskJob(owner: Owner, release: AppRelease, task: ActionTask, run: ReleaseAction): JobObject {
  const name = taskJobName(task.metadata.uid ?? '', run.service.name, run.action.name)
  const marks = { [annotations.release]: release.metadata.name, [annotations.task]: task.metadata.name }
  const job = jobOf(owner, run, { name, annotations: marks })
  return { ...job, spec: { ...job.spec, suspend: true } }
}

/** What lets just this Job, by its uid, start its pod; to be applied. */
export function makeStart({ name, namespace, uid }: NonNullable<AppTaskStatus['job']>): KubeObject & { spec: object } {
  return {
    apiVersion: apiVersionOf(jobType),
    kind: 'Job',
    metadata: { name, namespace, uid },
    spec: { suspend: false },
  }
}

interface JobObject extends KubeObject {
  readonly spec: object
}

function jobOf(
  owner: Owner,
  { service, action }: ReleaseAction,
  own: Required<Pick<Metadata, 'name' | 'annotations'>>,
): JobObject {
  return {
    apiVersion: apiVersionOf(jobType),
    kind: 'Job',
    metadata: {
      name: own.name,
      namespace: owner.instance,
      labels: {
        ...serviceLabels(owner, service.name),
        [labels.action]: actionLabel(service.name, action.name),
      },
      annotations: own.annotations,
    },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: action.timeoutSeconds + startSeconds,
      podFailurePolicy: {
        rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
      },
      template: {
        metadata: { labels: { ...actionPodLabels(owner, service.name, action.name), ...nodeLabels(service) } },
        spec: actionPodSpec(service, action),
      },
    },
  }
}
