import { appEnvKind } from '../operator/api/appEnv.ts'
import type { AppInstance } from '../operator/api/appInstance.ts'
import { appInstanceKind } from '../operator/api/appInstance.ts'
import { horizontalPodAutoscalerType, storageClassType } from '../operator/api/builtin.ts'
import { kinds } from '../operator/api/kinds.ts'
import { leaseName, type KubeObject, type ResourceType } from '../operator/api/meta.ts'
import { listed } from '../operator/api/text.ts'
import { declared } from '../operator/declared.ts'
import { isKubeError } from '../operator/kube/errors.ts'
import { objectionToDefinitions, objectionToServer } from '../operator/preflight.ts'
import { leaseType } from '../operator/runtime/lease.ts'
import { isReady, stateOf } from './causes.ts'
import type { Cluster } from './cluster.ts'
import { operatorPods } from './operator.ts'

/** What a cluster must have for Appstead, and whether it has. */

export interface Finding {
  readonly check: string
  readonly level: 'ok' | 'warning' | 'error'
  /** What is so; and, where it should not be, what to do. */
  readonly message: string
}

/** A cluster, and where in it the operator is looked for. */
export interface Patient {
  readonly client: Cluster['client']
  /** Of the operator. */
  readonly namespace: string
}

type Verdict = Omit<Finding, 'check'>

const ok = (message: string): Verdict => ({ level: 'ok', message })
const warning = (message: string): Verdict => ({ level: 'warning', message })
const error = (message: string): Verdict => ({ level: 'error', message })

/** All that is looked at, in the order in which it is told: what others stand on comes first. */
const checks: Readonly<Record<string, (patient: Patient) => Promise<Verdict>>> = {
  cluster: lookAtServer,
  definitions: lookAtDefinitions,
  operator: lookAtPods,
  leader: lookAtLease,
  rights: lookAtRights,
  policies: lookAtPolicies,
  environments: lookAtEnvs,
  metrics: lookAtMetrics,
  storage: lookAtStorage,
  instances: lookAtInstances,
}

/** Looks at everything. What may not be looked at is a warning; throws a KubeError when the cluster does not answer. */
export function diagnose(patient: Patient): Promise<readonly Finding[]> {
  return Promise.all(
    Object.entries(checks).map(async ([check, look]) => {
      try {
        return { check, ...(await look(patient)) }
      } catch (thrown) {
        if (isKubeError(thrown, 'Forbidden')) return { check, ...warning(`you may not look: ${thrown.message}`) }
        if (isKubeError(thrown, 'NotFound')) return { check, ...error(`it is not there: ${thrown.message}`) }
        throw thrown
      }
    }),
  )
}

async function lookAtServer({ client }: Patient): Promise<Verdict> {
  const objection = await objectionToServer({ client })
  return objection === undefined ? ok(`Kubernetes ${await client.version()}`) : error(objection)
}

async function lookAtDefinitions({ client, namespace }: Patient): Promise<Verdict> {
  const [pod] = await operatorPods({ client }, namespace)
  const version = pod?.metadata.labels?.['app.kubernetes.io/version'] ?? ''
  const older: string[] = []
  const log = { warn: (fields: { older: readonly string[] }) => older.push(...fields.older) } as never
  const objection = await objectionToDefinitions({ client, kinds, version, log })
  if (objection !== undefined) return error(objection)
  if (older.length > 0)
    return warning(`older than the operator (${version}): ${older.join(', ')}. Apply those of the chart.`)
  return ok(`${kinds.length} kinds${version === '' ? '' : ` of Appstead ${version}`}`)
}

async function lookAtPods({ client, namespace }: Patient): Promise<Verdict> {
  const pods = await operatorPods({ client }, namespace)
  if (pods.length === 0)
    return error(
      `no pod of it in namespace '${namespace}'. Install the chart, or name its namespace: --operator-namespace`,
    )
  const waiting = pods.filter((pod) => !isReady(pod))
  const told = waiting.map((pod) => `${pod.metadata.name} ${stateOf(pod)}`)
  const see = `kubectl logs -n ${namespace} -l app.kubernetes.io/component=operator`
  if (waiting.length === pods.length) return error(`no pod is ready: ${told.join(', ')}. See ${see}`)
  if (waiting.length > 0)
    return warning(`${waiting.length} of ${pods.length} pods not ready: ${told.join(', ')}. See ${see}`)
  return pods.length === 1
    ? warning('1 pod: nobody takes over when its node fails. Set replicas: 2')
    : ok(`${pods.length} pods, all ready`)
}

/** A lead that was not renewed for so long is nobody's, also where clocks differ. */
const staleSeconds = 60

async function lookAtLease({ client, namespace }: Patient): Promise<Verdict> {
  const lease = (await client.get(leaseType, { namespace, name: leaseName })) as KubeObject & {
    readonly spec?: { readonly holderIdentity?: string; readonly renewTime?: string }
  }
  const { holderIdentity = '', renewTime = '' } = lease.spec ?? {}
  if (holderIdentity === '') return error('nobody leads: nothing is reconciled. See the pods of the operator')
  const age = Math.round((Date.now() - Date.parse(renewTime)) / 1000)
  return age > staleSeconds
    ? error(
        `${holderIdentity} has not renewed its lead for ${age} s: nothing is reconciled. See the pods of the operator`,
      )
    : ok(`${holderIdentity} leads`)
}

const accessReview: ResourceType = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
}

async function lookAtRights({ client, namespace }: Patient): Promise<Verdict> {
  const [pod] = await operatorPods({ client }, namespace)
  const account = pod?.spec?.serviceAccountName
  if (account === undefined) return warning('not looked at: there is no pod of the operator')
  const user = `system:serviceaccount:${namespace}:${account}`
  const needed = new Map(
    declared.grants.map((grant) => [`${grant.verb} ${grant.resource}.${grant.group}`.replace(/\.$/, ''), grant]),
  )
  const answers = await Promise.all(
    [...needed].map(async ([name, { group, resource: path, verb }]) => {
      const [resource, subresource] = path.split('/')
      const spec = { user, resourceAttributes: { group, resource, subresource, verb } }
      const asked = { apiVersion: 'authorization.k8s.io/v1', kind: accessReview.kind, metadata: { name: '' }, spec }
      const { status } = (await client.create(accessReview, asked)) as { status?: { allowed?: boolean } }
      return status?.allowed === true ? [] : [name]
    }),
  )
  const missing = answers.flat()
  return missing.length === 0
    ? ok(`${needed.size} of ${needed.size} given to ${user}`)
    : error(`missing to ${user}: ${listed(missing, 5)}. The chart's ClusterRole and its binding give them.`)
}

const bindingType: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  namespaced: false,
}

async function lookAtPolicies({ client }: Patient): Promise<Verdict> {
  const { items } = await client.list(bindingType, { labelSelector: 'app.kubernetes.io/part-of=appstead' })
  const bindings = items as readonly (KubeObject & {
    readonly spec?: { readonly validationActions?: readonly string[] }
  })[]
  const count = (action: string): number =>
    bindings.filter(({ spec }) => spec?.validationActions?.includes(action)).length
  return bindings.length === 0
    ? warning('none: changes of what is Errored are not refused, only not acted on. Set policies of the chart')
    : ok(`${bindings.length}: ${count('Deny')} refuse, ${count('Warn')} warn`)
}

async function lookAtEnvs({ client }: Patient): Promise<Verdict> {
  const { items } = await client.list(appEnvKind)
  const names = items.map(({ metadata }) => metadata.name)
  return names.length === 0 ? error('no AppEnv: no instance can be made. Apply one') : ok(listed(names, 10))
}

const apiServiceType: ResourceType = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  namespaced: false,
}

interface Conditioned extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[]
  }
}

async function lookAtMetrics({ client }: Patient): Promise<Verdict> {
  const { items } = await client.list(apiServiceType)
  const found: Conditioned | undefined = items.find(({ metadata }) => metadata.name === 'v1beta1.metrics.k8s.io')
  const available = found?.status?.conditions?.find(({ type }) => type === 'Available')
  if (available?.status === 'True') return ok('metrics.k8s.io answers')
  const why = found ? `metrics.k8s.io does not answer (${available?.message ?? 'no reason'})` : 'no metrics-server'
  const { items: scaled } = await client.list(horizontalPodAutoscalerType, { labelSelector: 'appstead.dev/instance' })
  return scaled.length === 0
    ? ok(`${why}; needed only where a service scales itself, and none does`)
    : error(`${why}, and ${scaled.length} services scale themselves. Install metrics-server`)
}

const isDefault = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true'

async function lookAtStorage({ client }: Patient): Promise<Verdict> {
  const { items } = await client.list(storageClassType)
  const chosen = items.filter(isDefault).map(({ metadata }) => metadata.name)
  if (chosen.length > 0) return ok(`${chosen.join(', ')} by default, of ${items.length}`)
  return warning(`no StorageClass is the default, of ${items.length}: a volume must name one. Mark one as the default`)
}

async function lookAtInstances({ client }: Patient): Promise<Verdict> {
  const { items } = await client.list(appInstanceKind)
  const errored = (items as readonly AppInstance[]).filter(({ status }) => status?.phase === 'Errored')
  const names = errored.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
  return names.length === 0
    ? ok(`${items.length}, none of them Errored`)
    : warning(`${names.length} of ${items.length} Errored: ${listed(names, 5)}. See kubectl appstead why -A`)
}
