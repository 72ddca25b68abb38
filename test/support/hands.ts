import * as builtin from '../../operator/api/builtin.ts'
import { kinds } from '../../operator/api/kinds.ts'
import type { KubeObject, Ref, ResourceType } from '../../operator/api/meta.ts'
import { refOf } from '../../operator/api/meta.ts'
import { collectionPath, objectPath } from '../../operator/kube/paths.ts'
import { demand, type Admin, type Reply, type Requester } from './apiserver.ts'

/** An object as a test reads and writes it: any field may be looked at. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Anything = KubeObject & Record<string, any>

const builtinTypes: readonly ResourceType[] = Object.values(builtin).filter((value) => typeof value === 'object')
const others: readonly ResourceType[] = [
  { group: '', version: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas', namespaced: true },
  { group: '', version: 'v1', kind: 'PersistentVolume', plural: 'persistentvolumes', namespaced: false },
  { group: 'apps', version: 'v1', kind: 'ReplicaSet', plural: 'replicasets', namespaced: true },
  { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true },
  { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'Role', plural: 'roles', namespaced: true },
  { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'RoleBinding', plural: 'rolebindings', namespaced: true },
  { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRole', plural: 'clusterroles', namespaced: false },
  {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    namespaced: false,
  },
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind: 'ValidatingAdmissionPolicy',
    plural: 'validatingadmissionpolicies',
    namespaced: false,
  },
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    plural: 'validatingadmissionpolicybindings',
    namespaced: false,
  },
]

/** The type of a kind that tests handle; throws for another one. */
export function typeOf(kind: string): ResourceType {
  const type = [...kinds, ...builtinTypes, ...others].find((each) => each.kind === kind)
  if (type === undefined) throw new TypeError(`no kind ${kind} is known to the tests`)
  return type
}

/** What a person does at a terminal: every call throws with the server's own words unless it says otherwise. */
export interface Hands {
  readonly admin: Admin
  /** Those of somebody else. */
  as(requester: Requester): Hands
  /** As `kubectl apply --server-side`. */
  apply(object: object): Promise<Anything>
  /** As `apply`, whatever the server answers. */
  tryApply(object: object): Promise<Reply>
  get(kind: string, ref: Ref): Promise<Anything>
  /** undefined when there is none. */
  find(kind: string, ref: Ref): Promise<Anything | undefined>
  list(kind: string, namespace: string): Promise<readonly Anything[]>
  /** A JSON merge patch; `subresource` such as `scale` or `status`. */
  patch(kind: string, ref: Ref, change: object, subresource?: string): Promise<Anything>
  /** As `kubectl delete --wait=false`. */
  remove(kind: string, ref: Ref): Promise<void>
  /** What `kubectl get` prints, by the name of the column. */
  columns(kind: string, ref: Ref): Promise<Readonly<Record<string, unknown>>>
}

/** The Hands of an administrator. */
export function makeHands(admin: Admin): Hands {
  const tryApply: Hands['tryApply'] = (object) => {
    const made = object as KubeObject
    const path = `${objectPath(typeOf(made.kind), refOf(made))}?fieldManager=kubectl&force=true&fieldValidation=Strict`
    return admin({ method: 'PATCH', path, body: made, contentType: 'application/apply-patch+yaml' })
  }
  const find: Hands['find'] = async (kind, ref) => {
    const { status, body } = await admin({ path: objectPath(typeOf(kind), ref) })
    if (status === 404) return undefined
    if (status !== 200) throw new Error(`get ${kind} ${ref.name}: ${status} ${JSON.stringify(body)}`)
    return body as Anything
  }
  return {
    admin,
    as: (requester) => makeHands((call) => admin({ as: requester, ...call })),
    tryApply,
    find,
    async apply(object) {
      const { status, body } = await tryApply(object)
      if (status > 299) throw new Error(`apply ${JSON.stringify(object)}: ${status} ${JSON.stringify(body)}`)
      return body as Anything
    },
    get: (kind, ref) => demand<Anything>(admin, { path: objectPath(typeOf(kind), ref) }),
    async list(kind, namespace) {
      const path = collectionPath(typeOf(kind), namespace)
      const { apiVersion, items } = await demand<{ apiVersion: string; items: Anything[] | null }>(admin, { path })
      return (items ?? []).map((item) => ({ ...item, apiVersion, kind }))
    },
    patch(kind, ref, body, subresource = '') {
      const path = objectPath(typeOf(kind), ref) + (subresource === '' ? '' : `/${subresource}`)
      return demand<Anything>(admin, { method: 'PATCH', path, body })
    },
    async remove(kind, ref) {
      await demand(admin, { method: 'DELETE', path: objectPath(typeOf(kind), ref) })
    },
    columns: (kind, ref) => columns(admin, typeOf(kind), ref),
  }
}

interface Table {
  readonly columnDefinitions: readonly { readonly name: string }[]
  readonly rows: readonly { readonly cells: readonly unknown[] }[]
}

async function columns(admin: Admin, type: ResourceType, ref: Ref): Promise<Readonly<Record<string, unknown>>> {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const table = await demand<Table>(admin, { path: objectPath(type, ref), accept })
  const cells = table.rows[0]?.cells ?? []
  return Object.fromEntries(table.columnDefinitions.map(({ name }, index) => [name, cells[index]]))
}
