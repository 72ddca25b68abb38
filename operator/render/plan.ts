import type { KubeObject, ResourceType } from '../api/meta.ts'

/** One immutable Secret: of one source, the values that a service uses. */
export interface Copy {
  readonly name: string
  readonly type: 'Opaque' | 'kubernetes.io/dockerconfigjson'
  /** `Secret/<name>` or `ConfigMap/<name>` in the project. */
  readonly source: string
  readonly values: readonly { readonly key: string; readonly hash: string }[]
}

/** An object that should exist, complete but for what the server fills in. */
export interface Desired {
  readonly type: ResourceType
  readonly object: KubeObject
  /**
   * `apply`: server-side apply, kept as rendered.
   * `claim`: created by POST, so that a foreign object of that name is never touched; afterwards applied to that very one.
   * `immutable`: applied; one that differs is made anew, since the API server lets nobody change it.
   * `once`: created when missing, never changed, never pruned.
   * `run`: created unless it has run, never changed, never made again.
   * `copy`: created when missing, with `values`, never changed.
   */
  readonly mode: 'apply' | 'claim' | 'immutable' | 'once' | 'run' | 'copy'
  /** With `once`: data keys to fill with random text of so many characters. */
  readonly random?: Readonly<Record<string, number>>
  /** With `copy`: of what. */
  readonly copy?: Copy
  /** With `copy`: its values, in base64; without them it cannot be made now. */
  readonly values?: { reveal(): Readonly<Record<string, string>> }
  /** Deployments of earlier stages that must be rolled out before this object is written; none when absent. */
  readonly after?: readonly string[]
  /** The Job of an earlier stage that must have succeeded before this object is written; none when absent. */
  readonly afterJob?: string
}

/**
 * Objects that are applied side by side, in no order: the order of the kinds is that of the stages. The next stage begins
 * when all of them are there. An object with `after` waits for more than that: for itself alone, what does not wait goes
 * on.
 */
export interface Stage {
  readonly name: string
  readonly objects: readonly Desired[]
}

/** What should exist for one owner. */
export interface Plan {
  readonly stages: readonly Stage[]
  /** Names of objects that are not applied any more, but not pruned either: what kept releases need. */
  readonly keep: readonly { readonly type: ResourceType; readonly name: string }[]
}
