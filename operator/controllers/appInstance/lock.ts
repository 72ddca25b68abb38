import { namespaceType } from '../../api/builtin.ts'
import { labels } from '../../api/meta.ts'
import type { Reason } from '../../api/conditions.ts'
import { write } from '../../apply/write.ts'
import { isKubeError } from '../../kube/errors.ts'
import { ownerOf } from '../../render/appInstance.ts'
import { makeNamespace } from '../../render/namespace.ts'
import type { Ctx } from '../../runtime/controller.ts'
import { isOwnStop } from './attempts.ts'
import { isClaimedBy } from './gates.ts'
import { claimOf, type Observed } from './observe.ts'

/**
 * Says on the namespace of an instance why it is Errored, for the API server's policy on connections into its pods
 * (ADR 0012); the next plan that is applied takes it off. A namespace that is not the instance's is left alone, and what
 * the API server refuses is logged: the instance is Errored all the same.
 */
export async function markLocked(ctx: Ctx, seen: Observed, reason: Reason): Promise<void> {
  const { instance, namespace } = seen
  if (!namespace || !isClaimedBy(namespace, seen) || namespace.metadata.labels?.[labels.locked] === reason) return
  const desired = makeNamespace(ownerOf(instance), claimOf(seen), { locked: reason })
  try {
    await write(ctx.target.kube, desired, { type: namespaceType, object: namespace, digest: namespace.digest })
  } catch (error) {
    if (!isKubeError(error) || isOwnStop(error)) throw error
    ctx.log.warn({ err: error, namespace: namespace.metadata.name }, 'Failed to say on a namespace that it is locked')
  }
}
