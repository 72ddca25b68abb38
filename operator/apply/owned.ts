import type { KubeObject, ResourceType } from '../api/meta.ts'

/** An object of ours in the cluster, as the cache knows it. */
export interface Owned {
  readonly type: ResourceType
  readonly object: KubeObject
  /** ownedDigest of the live object; '' when our field manager owns nothing in it. */
  readonly digest: string
}
