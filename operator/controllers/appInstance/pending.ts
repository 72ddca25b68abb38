import type { AppInstanceStatus } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import { annotations } from '../../api/meta.ts'
import { listed, shortened } from '../../api/text.ts'
import type { Change } from '../../render/changes.ts'
import { sentenceOf } from '../../render/changes.ts'
import { deployRulesOf } from '../../render/resolve/deploy.ts'
import { makeSayerOf } from '../../render/resolve/sayer.ts'
import { isSuspended } from '../../render/scaling.ts'
import type { FailedRelease, Situation } from '../../status/appInstance.ts'
import { conditionOf } from '../../status/conditions.ts'
import type { Observed } from './observe.ts'
import { resumeCommand } from './scaling.ts'

/** What is declared and does not run: what it is, what it waits for, and how it is had now. Pure. */

export interface Outstanding {
  /** The release that should run; undefined before the first. */
  readonly release: AppRelease | undefined
  /** Accepted changes that are not released now. */
  readonly changes: readonly Change[]
  /** The release of what is declared, when it failed: `release` is the one it was to replace, or itself. */
  readonly failed: AppRelease | undefined
}

/** So that the command after them is always told whole; all are in status.pendingChanges. */
const [mostTold, listLimit] = [5, 500]

/** For what accepted changes wait; undefined when there are none. */
export function pendingOf(seen: Observed, { changes, failed }: Outstanding): Situation['pending'] {
  if (changes.length === 0) return undefined
  const list = shortened(listed(changes.map(withEffect), mostTold), listLimit)
  if (isSuspended(seen.instance)) {
    const message = `${list}: takes effect when spec.suspend is false again: ${resumeCommand(seen.instance)}`
    return { reason: 'WaitsForResume', message }
  }
  const now = `now: ${deployCommand(seen)}`
  if (failed) {
    const message = `${list}: release ${failed.spec.number} of it failed, and it is not tried again by itself; ${now}`
    return { reason: 'ReleaseFailed', message }
  }
  if (deployRulesOf(seen.instance, seen.env).trigger === 'Manual') {
    const { deploy, env } = seen.instance.spec
    const where = deploy?.trigger ? 'spec.deploy.trigger' : `spec.defaults.deploy.trigger of AppEnv '${env}'`
    return { reason: 'WaitsForTrigger', message: `${list}: waits until it is asked for (${where} is Manual); ${now}` }
  }
  const message = `${list}: takes effect with the next deployment, for example a change of spec.image or spec.variables; ${now}`
  return { reason: 'WaitsForDeployment', message }
}

function withEffect(change: Change): string {
  return change.effect === 'None' ? sentenceOf(change) : `${sentenceOf(change)} (${change.effect})`
}

/** Of the status: the requests that were handled last. */
export function handledRequests(seen: Observed, { release }: Outstanding): Pick<AppInstanceStatus, 'requests'> {
  const all = release ? [release, ...seen.releases] : seen.releases
  const newest = all.toSorted((a, b) => b.spec.number - a.spec.number)[0]
  return newest?.spec.requests ? { requests: newest.spec.requests } : {}
}

/** What makes a release of what is pending. Each value is handled once: the next release's number is always a new one. */
function deployCommand({ instance: { metadata }, releases }: Observed): string {
  const next = Math.max(0, ...releases.map(({ spec }) => spec.number)) + 1
  return `kubectl annotate appinstance ${metadata.name} -n ${metadata.namespace} ${annotations.deploy}=release-${next} --overwrite`
}

/** A failed release, and the command that has it tried again. */
export function failedSituation(seen: Observed, { metadata, spec, status }: AppRelease): FailedRelease {
  const { reason, message = '' } = conditionOf(status?.conditions, 'Succeeded') ?? {}
  return {
    name: metadata.name,
    number: spec.number,
    reason: reason as FailedRelease['reason'],
    message,
    retry: deployCommand(seen),
  }
}

/** Of the status: the release that failed with what is declared. */
export function failedOf(seen: Observed, { release, failed }: Outstanding): Pick<AppInstanceStatus, 'failedRelease'> {
  if (!release || !failed) return {}
  const { name, number, reason, message } = failedSituation(seen, failed)
  return { failedRelease: { name, number, reason, message: shortened(message, 1024) } }
}

/** What runs, and what of it is not as asked for: `41 (42 failed)`. */
export function releaseSummary({ spec: { number } }: AppRelease, failed: AppRelease | undefined): string {
  if (!failed) return String(number)
  return `${number} (${failed.spec.number === number ? '' : `${failed.spec.number} `}failed)`
}

/** The image that runs, and the one that is asked for where that is another one. */
export function imageSummary(running: string, wanted: string | undefined): string {
  return shortened(wanted === undefined || wanted === running ? running : `${running} (wanted: ${wanted})`, 1040)
}

/** As many as the status holds. */
const maxPendingChanges = 100

/** Of the status: what is pending, and who asks for it. */
export function changesOf(
  { input, revision }: Observed,
  { changes }: Outstanding,
): Pick<AppInstanceStatus, 'pendingChanges' | 'pendingSummary'> {
  if (changes.length === 0 || !input || !revision) return {}
  const sayerOf = makeSayerOf(input, revision.metadata.name)
  const told = changes.slice(0, maxPendingChanges).map((change) => {
    const { path, from, to, effect } = change
    const source = sayerOf(change)
    return { path, ...(from !== undefined && { from }), ...(to !== undefined && { to }), effect, source }
  })
  return { pendingChanges: told, pendingSummary: shortened(changes.map(({ path }) => path).join(','), 128) }
}
