import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { dump } from 'js-yaml'
import { accessRulesOf } from '../../charts/accessRoles.ts'
import type { AdmissionObject, ErroredSetting } from '../../charts/policyTemplate.ts'
import { projectRoleName, projectRoles, projectRulesOf } from '../../charts/projectRoles.ts'
import { bindRules, leaseRules, rulesOf, type Rule } from '../../charts/rbac.ts'
import { accessRoleName, accessRoles } from '../../operator/api/access.ts'
import type { ApiObject, KubeObject } from '../../operator/api/meta.ts'
import { appInstanceKind } from '../../operator/api/appInstance.ts'
import { kinds } from '../../operator/api/kinds.ts'
import { labels, refOf } from '../../operator/api/meta.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { objectPath } from '../../operator/kube/paths.ts'
import { startCluster, type Cluster } from '../cluster/cluster.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { layoutOf } from '../cluster/layout.ts'
import { demand, establishCrds, makeAdmin, type Admin } from './apiserver.ts'
import { remember } from './canaries.ts'
import { makeHands, type Hands } from './hands.ts'

/** A control plane with our CRDs, on which only the operator of the test that runs is at work. */
export interface ProductCluster {
  readonly cluster: Cluster
  readonly hands: Hands
  /** Of the operator: its own account, with the rights of the chart. */
  readonly operatorKubeconfig: string
  /** The user name of that account in the audit log. */
  readonly operatorUser: string
}

const account = { namespace: 'appstead-system', name: 'appstead' }

/**
 * The control plane of this jest worker: an operator acts on all of a cluster, so no two test files may use one at the
 * same time. It is left running for the next file; what that one finds from before is removed.
 */
export async function productCluster(
  name = `test-product-${process.env['JEST_WORKER_ID'] ?? '1'}`,
): Promise<ProductCluster> {
  const cluster = await startCluster({ name, level: 'control', report: () => undefined })
  const admin = await makeAdmin(cluster.kubeconfig)
  await establishCrds(admin)
  await wipe(admin)
  return prepare(cluster, admin)
}

/** The CRDs are there, or not needed: gives the operator its account and the hands to the tests. */
export async function prepare(cluster: Cluster, admin: Admin): Promise<ProductCluster> {
  const hands = makeHands(admin)
  const operatorKubeconfig = await grantAccount(cluster, hands)
  const operatorUser = `system:serviceaccount:${account.namespace}:${account.name}`
  await installPolicies(hands, operatorUser)
  return { cluster, hands, operatorKubeconfig, operatorUser }
}

/** The operator's ServiceAccount with the rights the chart gives it, as a kubeconfig. */
async function grantAccount(cluster: Cluster, hands: Hands): Promise<string> {
  // Loaded late: the controllers bring client-node with them, which must not be the first to ask for it (steppedOperator.ts).
  const { declared } = await import('../../operator/declared.ts')
  const rbac = 'rbac.authorization.k8s.io'
  await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: account.namespace } })
  await hands.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account })
  const rules = [...rulesOf(declared.grants), ...bindRules()].map(withoutWhy)
  const metadata = { name: account.name }
  await hands.apply({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules })
  const forPeople = [
    ...accessRoles.map((role) => [accessRoleName(role), accessRulesOf(role)] as const),
    ...projectRoles.map((role) => [projectRoleName(role), projectRulesOf(role)] as const),
  ]
  for (const [name, given] of forPeople) {
    const clusterRole = { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name } }
    await hands.apply({ ...clusterRole, rules: given.map(withoutWhy) })
  }
  await hands.apply({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: account.name },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  })
  await hands.apply({ apiVersion: `${rbac}/v1`, kind: 'Role', metadata: account, rules: leaseRules().map(withoutWhy) })
  await hands.apply({
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: account,
    roleRef: { apiGroup: rbac, kind: 'Role', name: account.name },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  })
  const { status } = await demand<{ status: { token: string } }>(hands.admin, {
    method: 'POST',
    path: `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 36_000 } },
  })
  remember("the operator's token", status.token)
  return writeKubeconfig(cluster, status.token)
}

/**
 * The chart's policies for the operator's account, as they are with this value of `policies.errored`; those that an earlier
 * one had besides are removed. Resolves when the API server goes by those that are always there.
 */
export async function installPolicies(
  hands: Hands,
  operatorUser: string,
  errored: ErroredSetting = 'Default',
): Promise<void> {
  const { admissionObjects, erroredSettings } = await import('../../charts/policyTemplate.ts')
  const objectsWith = (setting: ErroredSetting): readonly AdmissionObject[] =>
    admissionObjects({ ...account, account: operatorUser, errored: setting })
  const objects = objectsWith(errored)
  const wanted = new Set(objects.map(idOf))
  for (const object of erroredSettings.flatMap(objectsWith).filter((each) => !wanted.has(idOf(each)))) {
    const { kind, metadata } = object
    if (await hands.find(kind, { namespace: '', name: metadata.name }))
      await hands.remove(kind, { namespace: '', name: metadata.name })
  }
  for (const object of objects) await hands.apply(object)
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'probe' } }
  const probe = { method: 'POST', path: '/api/v1/namespaces/default/configmaps?dryRun=All', body } as const
  await waitUntil('the last of the policies is in force', 30, async () => {
    const { status } = await hands.admin({ ...probe, as: { user: operatorUser } })
    return status === 403
  })
}

const idOf = ({ kind, metadata }: AdmissionObject): string => `${kind} ${metadata.name}`

function withoutWhy({ why: _why, ...rule }: Rule): Omit<Rule, 'why'> {
  return rule
}

/** Writes a kubeconfig for an account of the cluster to its folder; returns the path. */
export function writeKubeconfig(cluster: Cluster, token: string): string {
  const known = loadKubeConfig(cluster.kubeconfig).getCurrentCluster()
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: known?.server, 'certificate-authority-data': known?.caData } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  }
  const file = join(layoutOf(cluster.name).folder, 'operator.kubeconfig')
  writeFileSync(file, dump(config), { mode: 0o600 })
  return file
}

type Found = ApiObject<{ readonly finalizers?: readonly string[] }, never>

/** Removes what an earlier run left: no operator of that run is there to do it. */
async function wipe(admin: Admin): Promise<void> {
  const root = '/apis/appstead.dev/v1alpha1'
  for (const kind of kinds) {
    const { items } = await demand<{ items: Found[] }>(admin, { path: `${root}/${kind.plural}` })
    for (const object of items.filter(({ metadata }) => metadata.finalizers !== undefined)) {
      const path = objectPath(kind, refOf(object))
      const lifted = kind === appInstanceKind ? { spec: { deletionProtection: false } } : {}
      await admin({ method: 'PATCH', path, body: { metadata: { finalizers: null }, ...lifted } })
    }
  }
  const label = encodeURIComponent(labels.instance)
  const ours = await demand<{ items: Found[] }>(admin, { path: `/api/v1/namespaces?labelSelector=${label}` })
  const projects = await demand<{ items: Found[] }>(admin, { path: `/api/v1/namespaces?labelSelector=${projectLabel}` })
  for (const { metadata } of [...ours.items, ...projects.items]) {
    await admin({ method: 'DELETE', path: `/api/v1/namespaces/${metadata.name}` })
  }
  const envs = await demand<{ items: KubeObject[] }>(admin, { path: `${root}/appenvs` })
  for (const { metadata } of envs.items) await admin({ method: 'DELETE', path: `${root}/appenvs/${metadata.name}` })
  await waitUntil('the instances of earlier tests are gone', 30, async () => {
    const { items } = await demand<{ items: unknown[] }>(admin, { path: `${root}/appinstances?limit=1` })
    if (items.length > 0)
      for (const { metadata } of projects.items)
        await admin({ method: 'DELETE', path: `${root}/namespaces/${metadata.name}/appinstances` })
    return items.length === 0
  })
}

const projectLabel = 'appstead.test/project'

/** Names of one test's own, and the project namespace they are in. */
export interface Project {
  readonly namespace: string
  readonly app: string
  readonly instance: string
}

/** A new project namespace; instance names are names of namespaces, so they are new too. */
export async function makeProject(hands: Hands, instanceSuffix = 'dev'): Promise<Project> {
  const id = randomBytes(3).toString('hex')
  const namespace = `shop-${id}`
  await hands.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { [projectLabel]: 'yes' } },
  })
  return { namespace, app: `hello${id}`, instance: `hello${id}-${instanceSuffix}` }
}
