import type { KubeObject } from '../api/meta.ts'
import type { Scale } from '../api/service/scale.ts'

/** What the cache keeps of objects that are not ours to define: digests, not objects (ADR 0004). */

/** Any object made by us. */
export interface ObservedChild extends KubeObject {
  /** Digest of the values our field manager owns; '' when it owns none. */
  readonly digest: string
}

/** A namespace, whoever's it is. */
export interface ObservedNamespace extends ObservedChild {
  /** Of one that is going: what holds it up, as far as its own status and metadata tell; else ''. */
  readonly remaining: string
}

/** A HorizontalPodAutoscaler, with the bounds that it keeps to. */
export interface ObservedAutoscaler extends ObservedChild {
  /** As we gave them; absent where another has changed them since. */
  readonly bounds?: NonNullable<Scale['autoscaling']>
}

/** How far a Deployment is, by its status. */
export interface ObservedDeployment extends ObservedChild {
  readonly replicas: number
  /** Whether the number of replicas is ours: of one that another set it is not, and at 0 it may be nobody's. */
  readonly isScaledByUs: boolean
  readonly observedGeneration: number
  /** Pods of any template that are not terminating. */
  readonly currentReplicas: number
  /** Pods of the newest template. */
  readonly updatedReplicas: number
  /** The ReplicaSet of the newest template that its controller has seen; '' when it does not say. */
  readonly replicaSet: string
  /** Pods that have been ready for minReadySeconds. */
  readonly availableReplicas: number
  /** Since when Progressing says ProgressDeadlineExceeded, RFC 3339; absent when it does not. */
  readonly deadlineExceededAt?: string
  /** Why the API server lets no replica be created, such as a quota; '' when it does. */
  readonly refusal?: string
}

/** A PersistentVolumeClaim, of whomever. */
export interface ObservedClaim extends ObservedChild {
  /** Pending, Bound or Lost. */
  readonly phase: string
  /** What it requests. */
  readonly size: string
  readonly accessModes: readonly string[]
  /** '' while it has none. */
  readonly storageClass: string
  /** Whether the scheduler has chosen the node for which its volume is to be made. */
  readonly hasNode: boolean
  /** RFC 3339; '' when it does not say. */
  readonly createdAt: string
}

/** A StorageClass. */
export interface ObservedStorageClass extends KubeObject {
  /** Whether a volume is made only when a pod needs it. */
  readonly waitsForConsumer: boolean
  readonly allowsGrowth: boolean
}

/** How far the Job of an action is, by its status. */
export interface ObservedJob extends ObservedChild {
  /** It may start no pod yet. */
  readonly isHeld: boolean
  /** A process of it was started, so that ending it leaves half of its work. */
  readonly hasBegun: boolean
  /** '' while it is under way. */
  readonly end: '' | 'Complete' | 'Failed'
  /** Why it failed, such as BackoffLimitExceeded; '' when it did not. */
  readonly reason: string
  /** When it failed; '' when it did not. */
  readonly failedAt: string
}

/** Whether a pod serves, and why it does not as far as its status tells. */
export interface ObservedPod extends KubeObject {
  /** The service it is a replica of, by its label; '' without. */
  readonly service: string
  /** The hash of the template it was made from; '' when it is of no Deployment. */
  readonly template: string
  /** The Job it is of and why it failed as a whole, such as DeadlineExceeded; absent for a replica. */
  readonly run?: { readonly job: string; readonly failure: string }
  readonly phase: string
  readonly isReady: boolean
  /** Reason and message of the first container that waits, such as ImagePullBackOff. */
  readonly waiting: { readonly reason: string; readonly message: string } | null
  /** Exit code and last log line of the last run that ended. */
  readonly lastExit: {
    readonly code: number
    readonly line: string
    /** For how long it ran. */
    readonly seconds: number
    /** It took more memory than it may. */
    readonly isOutOfMemory?: true
  } | null
  /** Why the scheduler found no node; '' when it did. */
  readonly unschedulable: string
}

/** What the kubelet last said of a probe of a pod that failed, again and again. */
export interface ObservedProbe extends KubeObject {
  /** metadata.uid of the pod. */
  readonly pod: string
  /** It failed too often to be just starting. */
  readonly isLasting: boolean
  /** Of the probe that a process has to pass first. */
  readonly isOfStart: boolean
  /** What came in place of a good answer. */
  readonly answer:
    | { readonly kind: 'status'; readonly code: number }
    | { readonly kind: 'late' | 'refused' }
    | { readonly kind: 'other'; readonly line: string }
}
