import type { AppInstance } from '../operator/api/appInstance.ts'
import type { KubeObject } from '../operator/api/meta.ts'
import { conditionOf } from '../operator/status/conditions.ts'
import type { Colour } from './command.ts'

/** A line of an answer: what it is of, and what is said. */
export interface Line {
  readonly label: string
  readonly text: string
  readonly colour?: Colour
}

/** What of a pod tells why it is not ready. */
export interface PodSeen {
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly status?: {
    readonly phase?: string
    readonly containerStatuses?: readonly {
      readonly ready: boolean
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } }
    }[]
  }
}

/** One that came from an API server. */
export type PodObject = PodSeen & KubeObject

/** Whether an instance is as it should be: Ready, by a status that has seen the spec as it stands. Pure. */
export function isAsItShouldBe(instance: AppInstance): boolean {
  return conditionOf(instance.status?.conditions, 'Ready')?.status === 'True' && isSeen(instance)
}

/** The one cause, and the release, the task, the pod and the commands that belong to it. Pure. */
export function causeOf(instance: AppInstance, pods: readonly PodSeen[]): readonly Line[] {
  const { status } = instance
  const [pod] = isAsItShouldBe(instance) ? [] : pods.filter((each) => !isReady(each)).toSorted(byTrouble)
  const failed = status?.failedRelease
  return [
    ...stateLines(instance),
    ...(failed ? [{ label: 'Release', text: `${failed.name} failed: ${failed.reason}` }] : []),
    ...taskLines(status?.error),
    ...(pod ? [{ label: 'Pod', text: `${pod.metadata.name} in namespace ${status?.namespace}: ${stateOf(pod)}` }] : []),
    ...(status?.error?.nextSteps ?? []).map((text) => ({ label: 'Do', text })),
  ]
}

function stateLines(instance: AppInstance): readonly Line[] {
  const ready = conditionOf(instance.status?.conditions, 'Ready')
  const phase = instance.status?.phase ?? 'not seen by the operator yet'
  const text = ready ? `${phase}, ${ready.reason}` : phase
  const note = { label: 'Note', text: 'the spec has changed since; the operator has not looked at it yet' }
  return [
    { label: instance.metadata.name, text, colour: isAsItShouldBe(instance) ? 'green' : 'red' },
    ...(ready && ready.message !== '' ? [{ label: 'Cause', text: ready.message }] : []),
    ...(isSeen(instance) ? [] : [note]),
  ]
}

function taskLines(error: NonNullable<AppInstance['status']>['error']): readonly Line[] {
  if (error?.task === undefined) return []
  return [
    { label: 'Task', text: error.failedStep === undefined ? error.task : `${error.task}, step ${error.failedStep}` },
  ]
}

function isSeen({ metadata, status }: AppInstance): boolean {
  return (status?.observedGeneration ?? -1) >= (metadata.generation ?? 0)
}

/** Those that say what is wrong before those that only start. */
function byTrouble(a: PodSeen, b: PodSeen): number {
  const isStarting = (pod: PodSeen): boolean => ['Pending', 'Running', 'ContainerCreating'].includes(stateOf(pod))
  return Number(isStarting(a)) - Number(isStarting(b))
}

/** Whether all its containers are. */
export function isReady({ status }: PodSeen): boolean {
  const containers = status?.containerStatuses ?? []
  return status?.phase === 'Succeeded' || (containers.length > 0 && containers.every(({ ready }) => ready))
}

/** What keeps it from being ready, as far as it tells. */
export function stateOf({ status }: PodSeen): string {
  const waiting = status?.containerStatuses?.flatMap(({ state }) => state?.waiting ?? [])[0]
  const told = [waiting?.reason, waiting?.message].filter((each) => each !== undefined).join(': ')
  return told === '' ? (status?.phase ?? 'Pending') : told
}
