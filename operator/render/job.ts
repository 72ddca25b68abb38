import type { AppRelease } from '../api/appRelease.ts'
import { apiVersionOf, jobType } from '../api/builtin.ts'
import { annotations, labels } from '../api/meta.ts'
import type { Action, ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { actionPodLabels, serviceLabels } from './labels.ts'
import { actionJobName, actionLabel } from './names.ts'
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

/**
 * The Job of one action of a release: one pod, which passes Pod Security `restricted`, started once. It is started again
 * only where its node took it away before it had ended.
 */
export function makeActionJob(owner: Owner, release: AppRelease, { service, action }: ReleaseAction): Desired {
  return {
    type: jobType,
    mode: 'run',
    object: {
      apiVersion: apiVersionOf(jobType),
      kind: 'Job',
      metadata: {
        name: actionJobName(release, service.name, action.name),
        namespace: owner.instance,
        labels: {
          ...serviceLabels(owner, service.name),
          [labels.action]: actionLabel(service.name, action.name),
        },
        annotations: { [annotations.release]: release.metadata.name },
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
    } as Desired['object'],
  }
}
