import { allowedConfigMapType, allowedSecretType } from '../api/allowed.ts'
import { appKind } from '../api/app.ts'
import type { App } from '../api/app.ts'
import { appEnvKind } from '../api/appEnv.ts'
import { appInstanceKind } from '../api/appInstance.ts'
import type { AppInstance } from '../api/appInstance.ts'
import { appLockKind } from '../api/appLock.ts'
import { appReleaseKind } from '../api/appRelease.ts'
import type { AppRelease } from '../api/appRelease.ts'
import { appStackKind } from '../api/appStack.ts'
import { appStackRevisionKind } from '../api/appStackRevision.ts'
import type { AppStackRevision } from '../api/appStackRevision.ts'
import { appTaskKind } from '../api/appTask.ts'
import type { AppTask } from '../api/appTask.ts'
import {
  configMapType,
  deploymentType,
  horizontalPodAutoscalerType,
  jobType,
  namespaceType,
  networkPolicyType,
  persistentVolumeClaimType,
  podDisruptionBudgetType,
  podType,
  resourceQuotaType,
  roleBindingType,
  secretType,
  serviceAccountType,
  serviceType,
  storageClassType,
} from '../api/builtin.ts'
import type { KubeObject, ResourceType } from '../api/meta.ts'
import { keyOf, labels } from '../api/meta.ts'
import { inlineStackName } from '../render/names.ts'
import type { Holder } from '../render/resolve/named.ts'
import { sourcesNamedIn } from '../render/resolve/named.ts'
import type { Informer } from '../runtime/controller.ts'
import { eventType } from '../runtime/events.ts'
import { isLocked } from '../render/appLock.ts'
import type {
  ObservedAutoscaler,
  ObservedChild,
  ObservedClaim,
  ObservedDeployment,
  ObservedJob,
  ObservedPod,
  ObservedProbe,
  ObservedStorageClass,
} from '../status/observed.ts'
import {
  autoscalerDigest,
  childDigest,
  claimDigest,
  deploymentDigest,
  jobDigest,
  namespaceDigest,
  podDigest,
  probeDigest,
  slim,
  storageClassDigest,
  taskDigest,
} from './digests.ts'

/** The namespaced types of which an instance has objects of ours in its namespace. */
export const childTypes: readonly ResourceType[] = [
  serviceAccountType,
  roleBindingType,
  networkPolicyType,
  resourceQuotaType,
  configMapType,
  secretType,
  persistentVolumeClaimType,
  serviceType,
  podDisruptionBudgetType,
  deploymentType,
  jobType,
  horizontalPodAutoscalerType,
]

const ours = { place: 'target', labelSelector: labels.instance } as const
const byNamespace = (object: KubeObject): string[] => [object.metadata.namespace ?? '']
const inProject = (object: KubeObject, name: string): string[] => [
  keyOf({ namespace: object.metadata.namespace ?? '', name }),
]

/** Where an object of a project is found that refers to a Secret or ConfigMap of it. */
export function sourceKey(object: KubeObject, source: string): string {
  return `${object.metadata.namespace ?? ''} ${source}`
}

const bySource = (object: KubeObject, ...holders: readonly Holder[]): string[] => [
  ...new Set(holders.flatMap(sourcesNamedIn).map((source) => sourceKey(object, source))),
]

/** A child of which only its identity and our own values matter. */
function childInformer(type: ResourceType, more: Partial<Informer<ObservedChild>> = {}): Informer<ObservedChild> {
  return { type, ...ours, keep: childDigest, indexes: { namespace: byNamespace }, ...more }
}

const app: Informer<App> = {
  type: appKind,
  indexes: {
    stack: (object) => inProject(object, object.spec.stack.name ?? inlineStackName(object.metadata.name)),
    source: (object) => bySource(object, object.spec),
  },
}

const appInstance: Informer<AppInstance> = {
  type: appInstanceKind,
  indexes: {
    app: (object) => inProject(object, object.spec.app),
    env: (object) => [object.spec.env],
    source: (object) => bySource(object, object.spec, ...(object.spec.services ?? [])),
    /** An instance's name is also the name of its namespace. */
    name: (object) => [object.metadata.name],
    /** The AppStackRevision it is pinned to. */
    revision: (object) => (object.spec.stack?.revision ? inProject(object, object.spec.stack.revision) : []),
    /** The project in which it is locked. */
    lockedIn: (object) => (isLocked(object) ? byNamespace(object) : []),
  },
}

const appStackRevision: Informer<AppStackRevision> = {
  type: appStackRevisionKind,
  indexes: {
    stack: (object) => inProject(object, object.spec.stack),
    source: (object) => bySource(object, ...object.spec.services),
  },
}

const appRelease: Informer<AppRelease> = {
  type: appReleaseKind,
  indexes: {
    instance: (object) => inProject(object, object.spec.instance),
    revision: (object) => inProject(object, object.spec.stackRevision),
  },
}

const appTask: Informer<AppTask> = {
  type: appTaskKind,
  keep: taskDigest,
  indexes: { instance: (object) => inProject(object, object.spec.instance) },
}

const deployment: Informer<ObservedDeployment> = {
  type: deploymentType,
  ...ours,
  keep: (object) => ({ ...childDigest(object), ...deploymentDigest(object) }),
  indexes: { namespace: byNamespace },
}

const autoscaler: Informer<ObservedAutoscaler> = {
  type: horizontalPodAutoscalerType,
  ...ours,
  keep: (object) => ({ ...childDigest(object), ...autoscalerDigest(object) }),
  indexes: { namespace: byNamespace },
}

const job: Informer<ObservedJob> = {
  type: jobType,
  ...ours,
  keep: (object) => ({ ...childDigest(object), ...jobDigest(object) }),
  indexes: { namespace: byNamespace },
}

const pod: Informer<ObservedPod> = {
  type: podType,
  ...ours,
  keep: (object) => ({
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: slim(object),
    ...podDigest(object),
  }),
  indexes: { namespace: byNamespace },
}

/** What the kubelet says of failing probes: the status of a pod tells neither their answer nor that they end its process. */
const probe: Informer<ObservedProbe> = {
  type: eventType,
  place: 'target',
  fieldSelector: 'reason=Unhealthy',
  keep: (object) => ({
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: slim(object),
    ...probeDigest(object),
  }),
  indexes: { namespace: byNamespace },
}

/** All of them: a service may mount one that others made. */
const claim: Informer<ObservedClaim> = {
  type: persistentVolumeClaimType,
  place: 'target',
  keep: (object) => ({ ...childDigest(object), ...claimDigest(object) }),
  indexes: { namespace: byNamespace },
}

const storageClass: Informer<ObservedStorageClass> = {
  type: storageClassType,
  place: 'target',
  keep: (object) => ({
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: slim(object),
    ...storageClassDigest(object),
  }),
}

/** Of Secrets and ConfigMaps of projects nothing but who may use them, and when they change. */
function allowed(type: ResourceType): Informer {
  return {
    type,
    labelSelector: `${labels.allow}=true`,
    metadataOnly: true,
    keep: (object) => ({ apiVersion: 'v1', kind: type.kind, metadata: slim(object) }),
    indexes: { namespace: byNamespace },
  }
}

/** Every type the operator watches, and what it keeps of its objects; rights are generated from it. */
export const informers: readonly Informer[] = [
  { type: appEnvKind },
  { type: appStackKind },
  app,
  appStackRevision,
  appInstance,
  appRelease,
  { type: appLockKind },
  appTask,
  // All of them: a namespace of someone else, the project's and kube-system are looked at too.
  { type: namespaceType, place: 'all', keep: namespaceDigest },
  allowed(allowedSecretType),
  allowed(allowedConfigMapType),
  childInformer(serviceAccountType),
  childInformer(roleBindingType),
  childInformer(networkPolicyType),
  childInformer(resourceQuotaType),
  childInformer(configMapType),
  childInformer(secretType, { metadataOnly: true }),
  claim,
  storageClass,
  childInformer(serviceType),
  childInformer(podDisruptionBudgetType),
  deployment,
  job,
  autoscaler,
  pod,
  probe,
] as unknown as readonly Informer[]
