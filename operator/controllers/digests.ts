import type { AppTask } from '../api/appTask.ts'
import type { KubeObject } from '../api/meta.ts'
import { group, labels } from '../api/meta.ts'
import { shortened } from '../api/text.ts'
import { isOurs } from '../apply/differences.ts'
import { ownedDigest } from '../apply/digest.ts'
import { isCompleted } from '../status/appTask.ts'
import type {
  ObservedAutoscaler,
  ObservedChild,
  ObservedClaim,
  ObservedDeployment,
  ObservedJob,
  ObservedNamespace,
  ObservedPod,
  ObservedProbe,
  ObservedStorageClass,
} from '../status/observed.ts'

/** From what the API server sends to what the cache keeps. */

const readOfMetadata = new Set(['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'deletionTimestamp'])

/** Of metadata that is not ours to define: what names the object, says how far it is, and the marks we put on it. */
export function slim({ metadata }: KubeObject): KubeObject['metadata'] {
  const { labels: all, annotations } = metadata
  const members = Object.entries(metadata).filter(([name]) => readOfMetadata.has(name))
  const marks = Object.entries({ labels: marksOf(all), annotations: marksOf(annotations) })
  return Object.fromEntries([...members, ...marks.filter(([, each]) => each !== undefined)]) as KubeObject['metadata']
}

type Marks = Readonly<Record<string, string>> | undefined

function marksOf(marks: Marks = {}): Marks {
  const ours = Object.entries(marks).filter(([name]) => name.startsWith(`${group}/`))
  return ours.length === 0 ? undefined : Object.fromEntries(ours)
}

/** A Task is kept whole until it is done: of its history only how it ended is read. */
export function taskDigest(object: KubeObject): AppTask {
  const task = object as AppTask
  const { apiVersion, kind, metadata, spec, status } = task
  const { creationTimestamp } = metadata
  const kept = { apiVersion, kind, metadata: { ...slim(task), ...(creationTimestamp && { creationTimestamp }) }, spec }
  if (!status) return kept
  const { steps, ...outcome } = status
  return { ...kept, status: isCompleted(task) || !steps ? outcome : { ...outcome, steps } }
}

/** What is kept of a child: what `slim` leaves of its metadata, and the digest of what our field manager owns. */
export function childDigest(object: KubeObject): ObservedChild {
  return { apiVersion: object.apiVersion, kind: object.kind, metadata: slim(object), digest: ownedDigest(object) }
}

interface NamespaceObject extends KubeObject {
  readonly spec?: { readonly finalizers?: readonly string[] }
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[]
  }
}

/** Of a namespace only the metadata is ours; and, of one that is going, what holds it up as far as it says so itself. */
export function namespaceDigest(object: KubeObject): ObservedNamespace {
  const { apiVersion, kind, metadata } = object
  return { ...childDigest({ apiVersion, kind, metadata }), remaining: remainingIn(object) }
}

/** What keeps discovery or the deleting from working comes before what is left because of it. */
const remainders = [
  'NamespaceDeletionDiscoveryFailure',
  'NamespaceDeletionGroupVersionParsingFailure',
  'NamespaceDeletionContentFailure',
  'NamespaceFinalizersRemaining',
  'NamespaceContentRemaining',
]

function remainingIn({ metadata, spec, status }: NamespaceObject): string {
  if (metadata.deletionTimestamp === undefined) return ''
  const holders = [...(metadata.finalizers ?? []), ...(spec?.finalizers ?? []).filter((name) => name !== 'kubernetes')]
  const own = holders.length === 0 ? [] : [`the namespace itself is held by finalizer ${holders.join(', ')}`]
  const told = remainders.flatMap((type) => {
    const condition = status?.conditions?.find((each) => each.type === type && each.status === 'True')
    return condition?.message ? [condition.message.trim()] : []
  })
  return shorten([...told, ...own].join('; '), remainingLimit)
}

interface DeploymentObject extends KubeObject {
  readonly spec?: { readonly replicas?: number }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly availableReplicas?: number
    readonly conditions?: readonly {
      readonly type: string
      readonly reason?: string
      readonly message?: string
      readonly lastTransitionTime?: string
    }[]
  }
}

const number = ['spec', 'replicas']

/** The counts of a Deployment's status, and who scales it. */
export function deploymentDigest(object: KubeObject): Omit<ObservedDeployment, keyof KubeObject | 'digest'> {
  const { spec, status } = object as DeploymentObject
  return {
    replicas: spec?.replicas ?? 0,
    isScaledByUs: isOurs(object, number),
    observedGeneration: status?.observedGeneration ?? 0,
    currentReplicas: status?.replicas ?? 0,
    updatedReplicas: status?.updatedReplicas ?? 0,
    availableReplicas: status?.availableReplicas ?? 0,
    replicaSet: replicaSetOf(status),
    ...lateness(status),
    refusal: refusalOf(status),
  }
}

interface AutoscalerObject extends KubeObject {
  readonly spec?: {
    readonly minReplicas?: number
    readonly maxReplicas?: number
    readonly metrics?: readonly {
      readonly resource?: { readonly target?: { readonly averageUtilization?: number } }
    }[]
  }
}

/** The bounds of an autoscaler, as far as they are ours. */
export function autoscalerDigest(object: KubeObject): Omit<ObservedAutoscaler, keyof KubeObject | 'digest'> {
  const { minReplicas: min, maxReplicas: max, metrics } = (object as AutoscalerObject).spec ?? {}
  const cpu = metrics?.[0]?.resource?.target?.averageUtilization
  const areOurs = ['minReplicas', 'maxReplicas', 'metrics'].every((field) => isOurs(object, ['spec', field]))
  return areOurs && min !== undefined && max !== undefined && cpu !== undefined ? { bounds: { min, max, cpu } } : {}
}

function lateness(status: DeploymentObject['status']): Pick<ObservedDeployment, 'deadlineExceededAt'> {
  const late = status?.conditions?.find(({ reason }) => reason === 'ProgressDeadlineExceeded')
  return late ? { deadlineExceededAt: late.lastTransitionTime ?? '' } : {}
}

/** Told in no field, but by every message of how far the newest ReplicaSet is; without one all pods count as its. */
function replicaSetOf(status: DeploymentObject['status']): string {
  const { message = '' } = status?.conditions?.find(({ type }) => type === 'Progressing') ?? {}
  return /replica ?set "([^"]+)"/i.exec(message)?.[1] ?? ''
}

/** Why the ReplicaSet may make no pod: a quota, an admission policy. */
function refusalOf(status: DeploymentObject['status']): string {
  return shorten(status?.conditions?.find(({ type }) => type === 'ReplicaFailure')?.message ?? '')
}

interface ClaimObject extends KubeObject {
  readonly spec?: {
    readonly accessModes?: readonly string[]
    readonly storageClassName?: string
    readonly resources?: { readonly requests?: { readonly storage?: string } }
  }
  readonly status?: { readonly phase?: string }
}

const selectedNode = 'volume.kubernetes.io/selected-node'

/** What a claim asks for, and whether it got it. */
export function claimDigest(object: KubeObject): Omit<ObservedClaim, keyof KubeObject | 'digest'> {
  const { spec, status, metadata } = object as ClaimObject
  return {
    phase: status?.phase ?? 'Pending',
    size: spec?.resources?.requests?.storage ?? '',
    accessModes: spec?.accessModes ?? [],
    storageClass: spec?.storageClassName ?? '',
    hasNode: metadata.annotations?.[selectedNode] !== undefined,
    createdAt: metadata.creationTimestamp ?? '',
  }
}

interface StorageClassObject extends KubeObject {
  readonly volumeBindingMode?: string
  readonly allowVolumeExpansion?: boolean
}

/** When volumes of a class are made, and whether they may grow. */
export function storageClassDigest(object: KubeObject): Omit<ObservedStorageClass, keyof KubeObject> {
  const { volumeBindingMode, allowVolumeExpansion } = object as StorageClassObject
  return {
    waitsForConsumer: volumeBindingMode === 'WaitForFirstConsumer',
    allowsGrowth: allowVolumeExpansion === true,
  }
}

interface JobObject extends KubeObject {
  readonly spec?: { readonly suspend?: boolean }
  readonly status?: {
    readonly ready?: number
    readonly succeeded?: number
    readonly failed?: number
    /** Pods that have ended and are in neither count yet. */
    readonly uncountedTerminatedPods?: { readonly succeeded?: readonly string[]; readonly failed?: readonly string[] }
    readonly conditions?: readonly (PodCondition & { readonly lastTransitionTime?: string })[]
  }
}

/** How far a Job is, by its status. */
export function jobDigest(object: KubeObject): Omit<ObservedJob, keyof KubeObject | 'digest'> {
  const { spec, status: counted } = object as JobObject
  const { ready = 0, succeeded = 0, failed = 0, conditions = [] } = counted ?? {}
  const uncounted = Object.values(counted?.uncountedTerminatedPods ?? {}).flat()
  const met = conditions.filter(({ status }) => status === 'True')
  const failure = met.find(({ type }) => type === 'Failed')
  return {
    isHeld: spec?.suspend === true,
    hasBegun: ready + succeeded + failed + uncounted.length > 0,
    end: failure ? 'Failed' : met.some(({ type }) => type === 'Complete') ? 'Complete' : '',
    reason: failure?.reason ?? '',
    failedAt: failure?.lastTransitionTime ?? '',
  }
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly terminated?: {
    readonly exitCode?: number
    readonly reason?: string
    readonly message?: string
    readonly startedAt?: string
    readonly finishedAt?: string
  }
}

interface PodCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

interface PodStatus {
  readonly phase?: string
  readonly reason?: string
  readonly conditions?: readonly PodCondition[]
  readonly containerStatuses?: readonly { readonly state?: ContainerState; readonly lastState?: ContainerState }[]
}

interface PodObject extends KubeObject {
  readonly status?: PodStatus
}

/** Of a log line. */
const lineLimit = 200
/** Of what is left in a namespace. */
const remainingLimit = 400
/** Of what Kubernetes itself says. */
const messageLimit = 300

/** Readiness of a pod, and why it is not ready as far as its own status tells. */
export function podDigest(object: KubeObject): Omit<ObservedPod, keyof KubeObject> {
  const { status, metadata } = object as PodObject
  const containers = status?.containerStatuses ?? []
  const waiting = containers.map(({ state }) => state?.waiting).find((state) => state?.reason !== undefined)
  const ended = containers.map(({ state, lastState }) => state?.terminated ?? lastState?.terminated).find(Boolean)
  return {
    service: metadata.labels?.[labels.service] ?? '',
    template: metadata.labels?.[templateHashLabel] ?? '',
    ...runOf(object),
    phase: status?.phase ?? 'Pending',
    isReady: conditionOf(status, 'Ready')?.status === 'True',
    waiting: waiting ? { reason: waiting.reason ?? '', message: shorten(withoutBackOff(waiting.message ?? '')) } : null,
    lastExit: ended ? exitOf(ended) : null,
    unschedulable: unschedulableOf(status),
  }
}

function exitOf(ended: NonNullable<ContainerState['terminated']>): ObservedPod['lastExit'] {
  const { exitCode = 0, reason, message = '', startedAt = '', finishedAt = '' } = ended
  const milliseconds = Date.parse(finishedAt) - Date.parse(startedAt)
  const seconds = Number.isFinite(milliseconds) ? milliseconds / 1000 : 0
  const exit = { code: exitCode, line: lastLine(message), seconds }
  return reason === 'OOMKilled' ? { ...exit, isOutOfMemory: true } : exit
}

/** Set by the Deployment controller on the pods of every Deployment; the name of their ReplicaSet ends with it. */
const templateHashLabel = 'pod-template-hash'

/** Set by the Job controller on the pods of every Job. */
const jobNameLabel = 'batch.kubernetes.io/job-name'

function runOf({ metadata, status }: PodObject): Pick<ObservedPod, 'run'> {
  const job = metadata.labels?.[jobNameLabel]
  return job === undefined ? {} : { run: { job, failure: status?.reason ?? '' } }
}

/**
 * What keeps a pod from each node; not that others would have to leave for it in vain, nor that a part of the scheduler
 * had nothing to say ("not found"), both of which it adds.
 */
function unschedulableOf(status: PodStatus | undefined): string {
  const { reason, message = '' } = conditionOf(status, 'PodScheduled') ?? {}
  return reason === 'Unschedulable'
    ? shorten(message.replace(/\. (?:(?:[^.]*, )?preemption: .*|not found\.?)$/s, ''))
    : ''
}

function conditionOf(status: PodStatus | undefined, type: string): PodCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

interface EventObject extends KubeObject {
  readonly involvedObject?: { readonly uid?: string }
  readonly message?: string
  readonly count?: number
}

/** So many times in a row a process may be asked before it listens, and one that serves may be too busy. */
const patience = { Startup: 5, Readiness: 2, Liveness: 2 }

/** Of an Event with the reason Unhealthy: what a probe met, in place of what the kubelet says, which has addresses in it. */
export function probeDigest(object: KubeObject): Omit<ObservedProbe, keyof KubeObject> {
  const { involvedObject, message = '', count = 1 } = object as EventObject
  const [, probe = 'Startup', said = ''] = /^(\w+) probe (?:failed|errored)[^:]*: ?(.*)$/s.exec(message) ?? []
  return {
    pod: involvedObject?.uid ?? '',
    isLasting: count >= (patience[probe as keyof typeof patience] ?? patience.Startup),
    isOfStart: probe === 'Startup',
    answer: answerIn(said),
  }
}

function answerIn(said: string): ObservedProbe['answer'] {
  const [, code] = /statuscode: (\d+)/.exec(said) ?? []
  if (code !== undefined) return { kind: 'status', code: Number(code) }
  if (/deadline exceeded|timed out|i\/o timeout/i.test(said)) return { kind: 'late' }
  if (said.includes('connection refused')) return { kind: 'refused' }
  return { kind: 'other', line: lastLine(said) }
}

/** The same words whether the kubelet pulls an image just now (ErrImagePull) or waits to (ImagePullBackOff). */
function withoutBackOff(message: string): string {
  return message.replace(/^Back-off pulling image "[^"]*"(: ErrImagePull: )?/, '')
}

/** The last line of a termination message, without control characters and with what looks like a secret masked. */
function lastLine(message: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '')
  return shorten(masked(lines.at(-1) ?? ''), lineLimit)
}

const assignedSecret = /((?:passw(?:or)?d|secret|token|api[-_]?key|credential|authorization)\w*["']?\s*[:=]\s*)\S+.*/i
const urlPassword = /(:\/\/[^\s/:@]*:)[^\s/@]+@/g
const bearer = /\b(bearer|basic)\s+[\w.~+/=-]+/gi

/** A log line may quote a connection string or a header; in a status everyone may read it. */
function masked(line: string): string {
  return line.replace(urlPassword, '$1***@').replace(bearer, '$1 ***').replace(assignedSecret, '$1***')
}

function shorten(message: string, limit = messageLimit): string {
  return shortened(message.replaceAll(/\p{Cc}+/gu, ' ').trim(), limit)
}
