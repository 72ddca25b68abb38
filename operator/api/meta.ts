/** Names that are part of the API: every label, annotation, finalizer and field manager stands here and nowhere else. */

export const group = 'appstead.dev'
export const version = 'v1alpha1'
export const apiVersion = `${group}/${version}`

/** The one server-side-apply field manager of the operator. */
export const fieldManager = 'appstead'

/** The Lease of the operator that leads, in the operator's own namespace. */
export const leaseName = 'appstead'

/** The Secret with the key of all hashes of values (ADR 0018), in the operator's own namespace. */
export const hashKeyName = 'appstead-hash-key'

/** Every kind of ours is in this kubectl category: `kubectl get appstead`. */
export const category = 'appstead'

export const labels = {
  /** On everything made for an instance: the App's name. */
  app: `${group}/app`,
  /** On everything made for an instance: the AppInstance's name. What we own is found by it. */
  instance: `${group}/instance`,
  /** On everything made for an instance: the namespace of the App and its instances. */
  project: `${group}/project`,
  /** On everything made for one service: the service's name. */
  service: `${group}/service`,
  /** On pods with a volume that one node alone can mount: all that share its value run on one node. */
  sameNode: `${group}/same-node`,
  /** On no node: pods that must share one name it, so that the scheduler looks again when the last of them has gone. */
  noNode: `${group}/no-node`,
  /** On the Job of an action and its pods: `<service>.<action>`. */
  action: `${group}/action`,
  /** On everything made for an instance: the AppEnv's name. */
  env: `${group}/env`,
  /** On the namespace of an instance that is Errored: nobody may connect to its pods. The value is the reason. */
  locked: `${group}/locked`,
  /** On the namespace of an instance that was deleted with deletionPolicy Retain, as `"true"`: the next of its name takes it over. */
  released: `${group}/released`,
  /** On a Secret or ConfigMap of a project, as `"true"`: instances of the apps in allow-apps may refer to it. Set by people. */
  allow: `${group}/allow`,
  /** On everything the operator makes: appstead. */
  managedBy: 'app.kubernetes.io/managed-by',
} as const

export const annotations = {
  /** On our CustomResourceDefinitions: the version of Appstead they belong to. */
  bundleVersion: `${group}/bundle-version`,
  /** On the instance's namespace: uid of the AppInstance that claimed it. */
  instanceUid: `${group}/instance-uid`,
  /** On the instance's namespace: uid of the project namespace. */
  projectUid: `${group}/project-uid`,
  /** On the instance's namespace: uid of kube-system in the cluster of the operator that claimed it. */
  hubUid: `${group}/hub-uid`,
  /** On an AppInstance, by a user: deploy what is pending, or what failed once more; its value is the cause. */
  deploy: `${group}/deploy`,
  /** On an AppInstance that is Errored: asks for another try; the value says why, and one that was acted on asks no more. */
  retry: `${group}/retry`,
  /** On an AppInstance, by a user: replace all replicas by new ones; its value is the cause. */
  restart: `${group}/restart`,
  /** On a pod: number of the release that restarted its service last. */
  restartedBy: `${group}/restarted-by`,
  /** On the Job of an action: the AppRelease it runs for, or from. */
  release: `${group}/release`,
  /** On the Job of an action that a user asked for: the AppTask that asks. */
  task: `${group}/task`,
  /** On an AppInstance: the instance uid that a namespace of its name records; takes it over from another hub or project uid. */
  adopt: `${group}/adopt`,
  /** On an AppInstance that is being deleted: its own uid lets it go at once, whatever it leaves behind. */
  forceDelete: `${group}/force-delete`,
  /** Beside the label allow: the apps that may refer to the object, such as shop,blog. Set by people. */
  allowApps: `${group}/allow-apps`,
  /** Beside the label allow: the only AppInstances that may; all of the apps when it is missing. Set by people. */
  allowInstances: `${group}/allow-instances`,
  /** On a copy in the instance's namespace: the Secret or ConfigMap of the project it was made of, such as Secret/db. */
  copyOf: `${group}/copy-of`,
  /** On our Lease: the version of the operator that holds it. */
  holderVersion: `${group}/holder-version`,
  /** On our Lease: the newer operator that asks for it, as `version identity time`. */
  candidate: `${group}/candidate`,
  /** On our Lease: who gave it up in good order; nobody needs to wait for it to expire. */
  releasedBy: `${group}/released-by`,
} as const

export const finalizers = {
  /** Held until an instance's namespace is gone. */
  instance: `${group}/instance-cleanup`,
  /** Held on what others name until nobody does: nothing is removed that something else needs. */
  inUse: `${group}/in-use`,
} as const

/** A resource type of the Kubernetes API, ours or built in. */
export interface ResourceType {
  /** '' for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** As in the URL, lower case. */
  readonly plural: string
  readonly namespaced: boolean
  /** Names a part of the objects that is watched by itself; missing: the type as such. */
  readonly view?: string
}

/** Name of an object; namespace is '' for cluster-scoped objects. */
export interface Ref {
  readonly namespace: string
  readonly name: string
}

export interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Any object of the Kubernetes API as JSON. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Metadata
}

/** An object of one of our kinds. */
export interface ApiObject<Spec, Status> extends KubeObject {
  readonly spec: Spec
  readonly status?: Status
}

/** The Ref of an object. */
export function refOf(object: { metadata: { name: string; namespace?: string } }): Ref {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name }
}

/** A Ref as one string, `namespace/name`; the key of queues and maps. */
export function keyOf(ref: Ref): string {
  return `${ref.namespace}/${ref.name}`
}
