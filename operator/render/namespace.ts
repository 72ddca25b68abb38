import { apiVersionOf, namespaceType, serviceAccountType } from '../api/builtin.ts'
import { annotations, labels } from '../api/meta.ts'
import type { Owner } from './labels.ts'
import { ownerLabels } from './labels.ts'
import { podServiceAccount } from './names.ts'
import type { Desired } from './plan.ts'

/** Uids that say whose a namespace is. */
export interface Claim {
  readonly instanceUid: string
  /** Of the project namespace. */
  readonly projectUid: string
  /** Of the cluster the operator lives in: the uid of its namespace kube-system. */
  readonly hubUid: string
}

/** What is said of a namespace for a time. */
interface NamespaceMarks {
  /** Why the instance is Errored, if it is. */
  readonly locked?: string
  /** The instance is deleted, and has left it. */
  readonly released?: boolean
}

/**
 * The instance's namespace, claimed by creating it. Pods in it must pass Pod Security `restricted`.
 */
export function makeNamespace(owner: Owner, claim: Claim, { locked, released }: NamespaceMarks = {}): Desired {
  return {
    type: namespaceType,
    mode: 'claim',
    object: {
      apiVersion: apiVersionOf(namespaceType),
      kind: 'Namespace',
      metadata: {
        name: owner.instance,
        labels: {
          ...ownerLabels(owner),
          'pod-security.kubernetes.io/enforce': 'restricted',
          // The server puts it on; a POST makes it ours, so not to render it would look like drift for ever.
          'kubernetes.io/metadata.name': owner.instance,
          ...(locked !== undefined && { [labels.locked]: locked }),
          ...(released && { [labels.released]: 'true' }),
        },
        annotations: {
          [annotations.instanceUid]: claim.instanceUid,
          [annotations.projectUid]: claim.projectUid,
          [annotations.hubUid]: claim.hubUid,
        },
      },
    },
  }
}

/** The account an instance's pods run under: no token, no rights. */
export function makeServiceAccount(owner: Owner): Desired {
  return {
    type: serviceAccountType,
    mode: 'apply',
    object: {
      apiVersion: apiVersionOf(serviceAccountType),
      kind: 'ServiceAccount',
      metadata: { name: podServiceAccount, namespace: owner.instance, labels: ownerLabels(owner) },
      automountServiceAccountToken: false,
    } as Desired['object'],
  }
}
