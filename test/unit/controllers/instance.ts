import type { AppInstance, AppInstanceStatus } from '../../../operator/api/appInstance.ts'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import { fieldManager, labels } from '../../../operator/api/meta.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { refusalOf } from '../../../operator/controllers/appInstance/gates.ts'
import { report } from '../../../operator/controllers/appInstance/report.ts'
import { podDigest } from '../../../operator/controllers/digests.ts'
import type { Applied } from '../../../operator/apply/execute.ts'
import type { KubeErrorCode } from '../../../operator/kube/errors.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { Desired, Plan } from '../../../operator/render/plan.ts'
import type { Report } from '../../../operator/runtime/controller.ts'
import type { ServiceRollout } from '../../../operator/status/rollout.ts'
import { decide, now, withRevisions } from '../../render/world.ts'
import { nothing } from '../apply/server.ts'

/** One instance `hello-dev` of App `hello`, and how it is reported as things happen around it. */

const apiVersion = 'appstead.dev/v1alpha1'
const namespace = 'team'

/** The objects by what they are called in the tests; leave one out, or put another in its place. */
export const objects = {
  system: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid: 'hub' } },
  project: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, uid: 'project' } },
  env: { apiVersion, kind: 'AppEnv', metadata: { name: 'dev' }, spec: { type: 'dev' } },
  app: {
    apiVersion,
    kind: 'App',
    metadata: { name: 'hello', namespace },
    spec: { stack: { services: [{ name: 'web', ports: [{ port: 8080 }] }] as object[] } },
  },
  instance: {
    apiVersion,
    kind: 'AppInstance',
    metadata: { name: 'hello-dev', namespace, uid: '33333333-3333-4333-8333-333333333333', generation: 1 },
    spec: { app: 'hello', env: 'dev', image: 'registry.example/hello:1' } as object,
  },
} as const

type World = { readonly [Name in keyof typeof objects]: KubeObject | undefined }

export interface Happening {
  /** Objects other than those above; undefined: it is not there. */
  readonly world?: Partial<World>
  readonly more?: readonly KubeObject[]
  /** How far the rollout is; none: nothing runs yet. */
  readonly rollout?: Partial<ServiceRollout>
  /** Status of the container of the one pod there is. */
  readonly container?: object
  readonly unschedulable?: string
  /** The server refuses the first object of the plan. */
  readonly refusal?: KubeErrorCode
  /** What else came of applying the plan. */
  readonly applied?: (plan: Plan) => Partial<Applied>
  /** Oldest first; all but the last were rolled out. */
  readonly releases?: readonly AppRelease[]
  /** Whether the last one was too. */
  readonly isRolledOut?: boolean
  readonly before?: AppInstanceStatus
}

/** The report of a reconcile that finds this. */
export async function reportOf(happening: Happening): Promise<Report<AppInstanceStatus> & { release?: AppRelease }> {
  const base = Object.values({ ...objects, ...happening.world }).filter((each) => each !== undefined)
  const releases = happening.releases ?? []
  const given = releases.map((each) => (happening.isRolledOut || each !== releases.at(-1) ? rolledOut(each) : each))
  const world = await withRevisions([...base, ...(happening.more ?? []), ...given])
  const { seen, objection, changes, failed, release, plan } = decide(world)
  const instance = { ...seen.instance, ...(happening.before && { status: happening.before }) } as AppInstance
  const applied = release && !objection ? appliedIn(happening, plan!) : undefined
  const idle = { desired: 1, ready: 0, isComplete: false, isDeadlineExceeded: false }
  const rollout = (release?.spec.services ?? []).map((service) => ({ service, ...idle, ...happening.rollout }))
  const pods = happening.container || happening.unschedulable ? [podOf(happening)] : []
  const refusal = applied?.refused && refusalOf(applied.refused)
  const found = { objection: objection ?? refusal, release, changes, failed, applied, rollout }
  return { ...report({ ...seen, instance, pods }, found, now), ...(release && { release }) }
}

function appliedIn({ refusal, applied }: Happening, plan: Plan): Applied {
  const desired = plan.stages[0]!.objects[0]!
  const error = refusal && new KubeError(refusal, 'create namespaces hello-dev: exceeded quota')
  return { ...nothing, ...applied?.(plan), ...(error && { refused: { desired, error } }) }
}

function podOf({ container, unschedulable }: Happening) {
  const scheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: unschedulable }
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', labels: { [labels.service]: 'web' } },
    status: {
      phase: 'Pending',
      conditions: unschedulable ? [scheduled] : [],
      containerStatuses: container ? [container] : [],
    },
  }
  return { ...pod, ...podDigest(pod) }
}

function rolledOut(release: AppRelease): AppRelease {
  const conditions = [{ type: 'Succeeded', status: 'True', reason: 'RolledOut', message: '', lastTransitionTime: '' }]
  return { ...release, status: { conditions, observedGeneration: 1 } } as AppRelease
}

/** App and instance with other services and another spec. */
export function worldWith(services: readonly object[], spec: object = {}, stack = 'services'): Partial<World> {
  return {
    app: { ...objects.app, spec: { stack: { [stack]: stack === 'name' ? 'absent' : services } } } as KubeObject,
    instance: { ...objects.instance, spec: { ...objects.instance.spec, ...spec } } as KubeObject,
  }
}

/** A claim of the service web in the namespace of the instance: of the volume data, bound, with 1Gi. */
export function claimOf({
  name = 'web-data',
  size = '1Gi',
  mode = 'ReadWriteOnce',
  phase = 'Bound',
  storageClass,
  owner = 'hello-dev',
  createdAt,
  node,
}: {
  readonly name?: string
  readonly size?: string
  readonly mode?: string
  readonly phase?: string
  readonly storageClass?: string
  readonly owner?: string
  readonly createdAt?: string
  /** Chosen by the scheduler. */
  readonly node?: string
}): KubeObject {
  const marks = { [labels.instance]: owner, [labels.service]: 'web' }
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace: 'hello-dev',
      labels: marks,
      ...(createdAt !== undefined && { creationTimestamp: createdAt }),
      ...(node !== undefined && { annotations: { 'volume.kubernetes.io/selected-node': node } }),
    },
    spec: { accessModes: [mode], resources: { requests: { storage: size } }, storageClassName: storageClass },
    status: { phase },
  } as KubeObject
}

/** The Deployment as the API server holds it, complete, when a policy makes it wait a second longer. */
export function alteredLive({ object }: Desired): KubeObject {
  const { spec } = object as unknown as { spec: { template: { spec: object } } }
  const template = { ...spec.template, spec: { ...spec.template.spec, terminationGracePeriodSeconds: 31 } }
  const fieldsV1 = { 'f:metadata': { 'f:labels': {} }, 'f:spec': {} }
  const managedFields = [{ manager: fieldManager, operation: 'Apply', fieldsV1 }]
  const counts = { replicas: 1, updatedReplicas: 1, availableReplicas: 1, observedGeneration: 1 }
  const metadata = { ...object.metadata, uid: 'u', generation: 1, resourceVersion: '7', managedFields }
  return { ...object, metadata, spec: { ...spec, template }, status: counts } as KubeObject
}
