import { jobType } from '../../api/builtin.ts'
import { labels } from '../../api/meta.ts'
import { listed } from '../../api/text.ts'
import type { Applied } from '../../apply/execute.ts'
import type { Desired } from '../../render/plan.ts'
import type { EventRecord } from '../../runtime/controller.ts'
import type { ServiceRollout } from '../../status/rollout.ts'

/** What came of applying, in words. Pure; the same as long as nothing changes. */

/** Paths that are named; the first ones tell enough. */
const namedPaths = 3

/** Which services wait for which others, one sentence a service; '' when none does. */
export function waitingSentences(applied: Applied | undefined, rollout: readonly ServiceRollout[]): string {
  const byService = new Map(
    (applied?.waiting ?? [])
      .filter(isOfService)
      .map(({ desired, for: needed }) => [desired.object.metadata.labels?.[labels.service] ?? '', needed]),
  )
  const sentences = [...byService].map(([service, needed]) => {
    const others = needed.map((name) => `service '${name}' (dependsOn): ${readyOf(name, rollout)} ready`)
    return `Service '${service}' waits for ${others.join(', ')}.`
  })
  return sentences.join(' ')
}

/** Jobs, and what waits for them, are told of as actions. */
function isOfService({ desired, for: needed }: Applied['waiting'][number]): boolean {
  return desired.type.kind !== jobType.kind && needed.length > 0
}

function readyOf(name: string, rollout: readonly ServiceRollout[]): string {
  const row = rollout.find(({ service }) => service.name === name)
  return `${row?.ready ?? 0}/${row?.desired ?? 0}`
}

/** Who undoes our writes to which object; '' when nobody does. */
export function contestSentence(applied: Applied | undefined): string {
  const [first] = applied?.contested ?? []
  if (!first) return ''
  const { desired, contest } = first
  const { kind, metadata } = desired.object
  const where = metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`
  if (contest.paths.length === 0) {
    return `${nameOf(desired)} is removed or changed each time after it was written; find out by whom in the audit log of the API server.`
  }
  const command = `kubectl get ${kind.toLowerCase()} ${metadata.name}${where} -o yaml --show-managed-fields`
  return `${nameOf(desired)}: ${whoIs(contest.manager)} changes ${listed(contest.paths, namedPaths)} each time after it was written; see ${command}`
}

/** What the API server stores otherwise than it was sent; '' when nothing. */
export function alteredSentence(applied: Applied | undefined): string {
  return (applied?.altered ?? []).map(sentenceOf).join(' ')
}

/** An Event for each object of which the API server just said so. */
export function alteredEvents({ applied }: { readonly applied: Applied | undefined }): EventRecord[] {
  return (applied?.altered ?? [])
    .filter(({ isNew }) => isNew)
    .map((each) => ({
      type: 'Warning',
      reason: 'ChangedByAdmission',
      action: 'Deploying',
      message: sentenceOf(each),
    }))
}

/** An Event for each object that was put right after others had changed or deleted it. */
export function driftEvents({ applied }: { readonly applied: Applied | undefined }): EventRecord[] {
  return (applied?.drifted ?? []).map((drift) => ({
    type: 'Normal',
    reason: 'DriftCorrected',
    action: 'Repairing',
    message: driftSentence(drift),
  }))
}

/** What is not as it was before: what was deleted is made again without what it held. */
const lost: Readonly<Record<string, string>> = {
  Namespace: ', with everything in it',
  PersistentVolumeClaim: ', empty',
  Secret: ', with new values',
}

/** Paths alone, no values: what somebody wrote there may be secret. */
function driftSentence({ desired, paths, manager, isFound }: Applied['drifted'][number]): string {
  if (isFound) {
    return `${nameOf(desired)} was there before it was to be made, with values of ${whoIs(manager)}; it is this instance's now, as declared.`
  }
  if (paths.length === 0) {
    return `${nameOf(desired)} was deleted; it is made again${lost[desired.object.kind] ?? ''}.`
  }
  return `${nameOf(desired)}: ${whoIs(manager)} changed ${listed(paths, namedPaths)}; put back as declared. What is to stay is said in the AppInstance or its stack.`
}

function whoIs(manager: string): string {
  return manager === '' ? 'somebody who left no name' : `field manager '${manager}'`
}

function sentenceOf({ desired, paths }: Applied['altered'][number]): string {
  const what = paths.length === 0 ? 'it' : listed(paths, namedPaths)
  return `${nameOf(desired)}: the API server stores ${what} otherwise than applied: an admission policy or webhook changes it.`
}

function nameOf({ object }: Desired): string {
  return `${object.kind} '${object.metadata.name}'`
}
