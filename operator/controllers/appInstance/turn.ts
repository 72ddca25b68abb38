import type { ActionTask } from '../../api/appTask.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import type { Reason } from '../../api/conditions.ts'
import { operations, type State } from '../../api/operations.ts'
import { similarNames, thereIs } from '../../api/similar.ts'
import { actionsByHand, type ReleaseAction } from '../../render/job.ts'
import { isSuspended } from '../../render/scaling.ts'
import { subject, waitsFor } from '../../status/actions.ts'
import { hasFailed, hasSucceeded, releaseToRun } from '../../status/appRelease.ts'
import type { ObservedJob } from '../../status/observed.ts'
import { isUnderWay, mayAct, taskOfJob, told } from '../actions.ts'
import { jobNameOf, nameOf } from '../actionTasks.ts'
import { mayApply } from './decide.ts'
import type { Observed } from './observe.ts'
import type { Findings } from './report.ts'

/** What is to be done about an action that a user asks for and that was not begun. */
export type Turn =
  | { readonly kind: 'refused'; readonly reason: Reason; readonly message: string }
  | { readonly kind: 'waits'; readonly message: string }
  | { readonly kind: 'due'; readonly release: AppRelease; readonly run: ReleaseAction }
  /** It was its turn, and its Job was made: what comes after that was not done yet, or is not seen yet. */
  | { readonly kind: 'made'; readonly job: ObservedJob }

/** What a reconcile found that matters to those who wait. */
export type Found = Pick<Findings, 'release' | 'applied' | 'objection' | 'failure'>

/**
 * Whether it is an action's turn. In: what was observed and found, the AppTask, the one that goes before it if there is
 * one. Pure.
 */
export function turnOf(seen: Observed, found: Found, task: ActionTask, ahead: ActionTask | undefined): Turn {
  const state = stateOf(seen, found)
  if (state && operations.NewWork.verdicts[state] === 'no') return refusedIn(state, seen, task)
  const job = seen.jobs.find(({ metadata }) => metadata.name === jobNameOf(task))
  if (job) return madeAlready(job, task)
  const release = releaseToRun(seen.releases)
  const waiting = whyNotYet(seen, found, ahead)
  if (waiting !== undefined || !release) {
    return { kind: 'waits', message: `${subject(task.spec.action)} ${waiting ?? 'waits'}` }
  }
  return lookUp(seen, release, task)
}

/** Of the states in which not everything is allowed; one that is being deleted is not reconciled. */
function stateOf({ instance }: Observed, { failure }: Found): State | undefined {
  if (failure) return 'Errored'
  return isSuspended(instance) ? 'Suspended' : undefined
}

function refusedIn(state: State, { instance }: Observed, { spec }: ActionTask): Turn {
  const { name, namespace } = instance.metadata
  const message = `${subject(spec.action)} was not started: AppInstance '${name}' is ${state}, and nothing new is begun for it then; make another AppTask afterwards. See kubectl describe appinstance ${name} -n ${namespace}`
  return { kind: 'refused', reason: 'NotAllowed', message }
}

/** Others wait for it as soon as it is there: it waits for nobody any more. */
function madeAlready(job: ObservedJob, { metadata, spec }: ActionTask): Turn {
  if (taskOfJob(job) === metadata.name) return { kind: 'made', job }
  const { name, namespace } = job.metadata
  const message = `${subject(spec.action)} waits: Job '${name}' is there, and Appstead did not make it; to let it run: kubectl delete job -n ${namespace} ${name}`
  return { kind: 'waits', message }
}

/** What it waits for; undefined when it need not. */
function whyNotYet(seen: Observed, found: Found, ahead: ActionTask | undefined): string | undefined {
  const { name, namespace } = seen.instance.metadata
  if (ahead)
    return `waits for ${nameOf(ahead)}, which comes first; see kubectl describe apptask ${ahead.metadata.name} -n ${namespace}`
  const release = releaseToRun(seen.releases)
  const see = `; see kubectl describe appinstance ${name} -n ${namespace}`
  const [newest = found.release] = seen.releases
  if (!release || !newest) return `waits for the first release of AppInstance '${name}'${see}`
  const isDecided = hasSucceeded(newest) || hasFailed(newest)
  if (!isDecided || release.metadata.uid !== found.release?.metadata.uid) {
    return `waits for release ${found.release?.metadata.name ?? newest.metadata.name} to be rolled out${see}`
  }
  if (mayAct(release)) return `waits for the actions of release ${release.metadata.name}${see}`
  if (!isInPlace(seen, found)) return `waits for what release ${release.metadata.name} needs${see}`
  const other = seen.jobs.find(isUnderWay)
  return other && waitsFor(told(other), 'a release')
}

function isInPlace(seen: Observed, { applied, objection }: Found): boolean {
  return mayApply(seen, objection) && applied !== undefined && applied.stoppedAt === undefined
}

/** The action as the release has it. */
function lookUp({ instance }: Observed, release: AppRelease, { spec }: ActionTask): Turn {
  const runs = actionsByHand(release)
  const { service, name } = spec.action
  const run = runs.find((each) => each.service.name === service && each.action.name === name)
  if (run) return { kind: 'due', release, run }
  const refused = (why: string): Turn => ({
    kind: 'refused',
    reason: 'ActionNotFound',
    message: `${subject(spec.action)} was not started: ${why}`,
  })
  const found = release.spec.services.find((each) => each.name === service)
  const of = `release ${release.metadata.name}`
  if (!found) {
    const isDisabled = instance.spec.services?.some((each) => each.name === service && each.enabled === false)
    const names = release.spec.services.map((each) => each.name)
    return refused(
      isDisabled
        ? `the service is disabled in AppInstance '${instance.metadata.name}' (spec.services)`
        : `${of} has no service '${service}'${thereIs(similarNames(service, names))}`,
    )
  }
  const declared = found.actions?.find((each) => each.name === name)
  if (declared)
    return refused(`it runs ${declared.run}, with releases; to have it by hand, declare one with run: Manual`)
  const names = runs.filter((each) => each.service === found).map(({ action }) => action.name)
  return refused(`${of} has none of that name with run: Manual${thereIs(names)}`)
}
