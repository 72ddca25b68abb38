import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeAuthority, readPair, writePair, writeTokenKey, type Authority } from './certificates.ts'
import { answers, waitUntil, type Connection } from './kubeApi.ts'
import type { Layout } from './layout.ts'
import { isRunning, tailOf, type Started } from './process.ts'
import { connectionTo, makeKubeconfig, writeWhole, type Addresses } from './state.ts'

/** Starts one long-lived process of a cluster: on the host, or inside the cluster's own namespaces. */
export type Start = (name: string, command: string, args: string[]) => Promise<Started>

export const controlPlaneBinaries = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const

/** The address of the `kubernetes` Service: the first of the range. */
export const firstServiceAddress = (serviceRange: string): string => serviceRange.replace(/\.0\/\d+$/, '.1')

/** The components that have a kubeconfig of their own, under the identities that Kubernetes' own roles are bound to. */
const components = {
  'kube-controller-manager': { commonName: 'system:kube-controller-manager' },
  'kube-scheduler': { commonName: 'system:kube-scheduler' },
  'kube-proxy': { commonName: 'system:kube-proxy' },
  // kwok plays every node at once, and no role of Kubernetes' own allows that.
  kwok: { commonName: 'kwok', organization: 'system:masters' },
}

/** Where a component finds its kubeconfig. */
export const kubeconfigOf = (layout: Layout, component: string): string => join(layout.pki, `${component}.kubeconfig`)

/** Makes the kubeconfig of one component or node. */
export function writeComponentKubeconfig(
  layout: Layout,
  authority: Authority,
  server: string,
  identity: { component: string; commonName: string; organization?: string },
): void {
  const { component, ...subject } = identity
  const config = makeKubeconfig(component, server, authority.certificate, authority.issue(subject))
  writeFileSync(kubeconfigOf(layout, component), config, { mode: 0o600 })
}

/** Makes all certificates, keys and kubeconfigs of a new cluster. Returns the authority, for those of its nodes. */
export function writeIdentities(layout: Layout, addresses: Addresses): Authority {
  const server = serverUrl(addresses)
  const authority = makeAuthority('appstead test cluster')
  writePair(layout.pki, 'ca', authority)
  // Those who speak for aggregated API servers are trusted by an authority of their own, or any client could claim to be one.
  const frontProxy = makeAuthority('appstead test cluster front proxy')
  writePair(layout.pki, 'front-proxy-ca', frontProxy)
  writePair(layout.pki, 'front-proxy', frontProxy.issue({ commonName: 'front-proxy' }))
  const servedNames = [
    'localhost',
    '127.0.0.1',
    addresses.host,
    firstServiceAddress(addresses.serviceRange),
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ]
  writePair(layout.pki, 'kube-apiserver', authority.issue({ commonName: 'kube-apiserver', servedNames }))
  writePair(layout.pki, 'etcd', authority.issue({ commonName: 'etcd', servedNames }))
  writePair(layout.pki, 'etcd-client', authority.issue({ commonName: 'etcd-client' }))
  writePair(
    layout.pki,
    'kubelet-client',
    authority.issue({ commonName: 'kube-apiserver', organization: 'system:masters' }),
  )
  const admin = authority.issue({ commonName: 'admin', organization: 'system:masters' })
  writePair(layout.pki, 'admin', admin)
  writeTokenKey(layout.pki, 'service-account')
  for (const [component, subject] of Object.entries(components)) {
    writeComponentKubeconfig(layout, authority, server, { component, ...subject })
  }
  return authority
}

/** Writes the kubeconfig of the user. */
export function writeUserKubeconfig(layout: Layout, addresses: Addresses): void {
  const { certificate: authority } = readPair(layout.pki, 'ca')
  const config = makeKubeconfig(
    `appstead-${layout.name}`,
    serverUrl(addresses),
    authority,
    readPair(layout.pki, 'admin'),
  )
  writeWhole(layout.kubeconfig, config)
}

/** The URL of the API server. */
export const serverUrl = ({ host, apiServerPort }: Addresses): string => `https://${host}:${apiServerPort}`

function etcdArguments(layout: Layout, addresses: Addresses): string[] {
  const client = `https://${addresses.host}:${addresses.etcdPort}`
  const peer = `https://${addresses.host}:${addresses.etcdPeerPort}`
  const certificate = join(layout.pki, 'etcd.crt')
  const key = join(layout.pki, 'etcd.key')
  const authority = join(layout.pki, 'ca.crt')
  return [
    '--name=etcd',
    `--data-dir=${layout.etcd}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=etcd=${peer}`,
    '--client-cert-auth',
    `--trusted-ca-file=${authority}`,
    `--cert-file=${certificate}`,
    `--key-file=${key}`,
    '--peer-client-cert-auth',
    `--peer-trusted-ca-file=${authority}`,
    `--peer-cert-file=${certificate}`,
    `--peer-key-file=${key}`,
    // Nothing of a test cluster must survive a power cut, and syncing every write is what makes tests slow.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]
}

/** Every request is logged once, when it is answered, with who, what and the verdict: tests count them. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
}

function etcdAccessArguments(layout: Layout, addresses: Addresses): string[] {
  return [
    `--etcd-servers=https://${addresses.host}:${addresses.etcdPort}`,
    `--etcd-cafile=${join(layout.pki, 'ca.crt')}`,
    `--etcd-certfile=${join(layout.pki, 'etcd-client.crt')}`,
    `--etcd-keyfile=${join(layout.pki, 'etcd-client.key')}`,
  ]
}

/** Who may speak to the API server, and as whom it speaks to kubelets and to aggregated API servers. */
function identityArguments(layout: Layout): string[] {
  const file = (name: string): string => join(layout.pki, name)
  return [
    `--tls-cert-file=${file('kube-apiserver.crt')}`,
    `--tls-private-key-file=${file('kube-apiserver.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${file('service-account.pub')}`,
    `--service-account-signing-key-file=${file('service-account.key')}`,
    `--kubelet-certificate-authority=${file('ca.crt')}`,
    `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
    `--kubelet-client-key=${file('kubelet-client.key')}`,
    `--requestheader-client-ca-file=${file('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${file('front-proxy.crt')}`,
    `--proxy-client-key-file=${file('front-proxy.key')}`,
  ]
}

function apiServerArguments(layout: Layout, addresses: Addresses): string[] {
  const onLoopback = addresses.host === '127.0.0.1'
  return [
    `--bind-address=${addresses.host}`,
    `--advertise-address=${addresses.host}`,
    `--secure-port=${addresses.apiServerPort}`,
    // A loopback address is not allowed as an endpoint; without nodes nobody needs that endpoint.
    ...(onLoopback ? ['--endpoint-reconciler-type=none'] : []),
    `--service-cluster-ip-range=${addresses.serviceRange}`,
    ...etcdAccessArguments(layout, addresses),
    ...identityArguments(layout),
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    // Or `kubectl logs` would look the node's name up in a DNS that does not know it.
    '--kubelet-preferred-address-types=InternalIP',
    `--audit-policy-file=${join(layout.folder, 'audit-policy.json')}`,
    `--audit-log-path=${layout.auditLog}`,
    // In megabytes: the log is never cut, so that a count over it is whole.
    '--audit-log-maxsize=100000',
    '--profiling=false',
  ]
}

function controllerManagerArguments(layout: Layout): string[] {
  const file = (name: string): string => join(layout.pki, name)
  const kubeconfig = kubeconfigOf(layout, 'kube-controller-manager')
  return [
    `--kubeconfig=${kubeconfig}`,
    '--use-service-account-credentials',
    `--service-account-private-key-file=${file('service-account.key')}`,
    `--root-ca-file=${file('ca.crt')}`,
    `--cluster-signing-cert-file=${file('ca.crt')}`,
    `--cluster-signing-key-file=${file('ca.key')}`,
    '--leader-elect=false',
    // Its default is a folder of the machine, which it would make.
    `--flex-volume-plugin-dir=${join(layout.folder, 'volume-plugins')}`,
    // Nobody asks it anything, and a port less is a conflict less.
    '--secure-port=0',
    // With its default of 20 requests a second it would be what every benchmark measures.
    '--kube-api-qps=5000',
    '--kube-api-burst=6000',
    '--concurrent-deployment-syncs=50',
    '--concurrent-replicaset-syncs=50',
    '--concurrent-service-endpoint-syncs=50',
    '--concurrent-endpoint-syncs=50',
    '--concurrent-namespace-syncs=50',
    '--concurrent-gc-syncs=50',
    '--concurrent-serviceaccount-token-syncs=50',
    // An autoscaler looks at its target for the first time after one such period.
    '--horizontal-pod-autoscaler-sync-period=2s',
    // It waits so long before it takes replicas away, in place of five minutes.
    '--horizontal-pod-autoscaler-downscale-stabilization=15s',
    '--profiling=false',
  ]
}

/** Waits for something a process does. Throws with the end of its log when it ends first, or takes too long. */
export async function waitFor(
  layout: Layout,
  started: Started,
  name: string,
  what: string,
  check: () => Promise<boolean>,
): Promise<void> {
  const tail = (): string => `the end of ${join(layout.logs, `${name}.log`)}:\n${tailOf(layout.folder, name)}`
  const checkBoth = async (): Promise<boolean> => {
    if (await check()) return true
    if (!(await isRunning(started))) throw new Error(`${name} ended before ${what}; ${tail()}`)
    return false
  }
  const limitSeconds = 120
  try {
    await waitUntil(what, limitSeconds, checkBoth)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(message.includes(tail()) ? message : `${message}; ${tail()}`, { cause: error })
  }
}

type ControlPlanePaths = Record<(typeof controlPlaneBinaries)[number], string>

/** Starts etcd and the API server and waits until it is ready. */
export async function startApiServer(
  layout: Layout,
  addresses: Addresses,
  paths: ControlPlanePaths,
  start: Start,
): Promise<Connection> {
  mkdirSync(layout.etcd, { recursive: true, mode: 0o700 })
  writeFileSync(join(layout.folder, 'audit-policy.json'), JSON.stringify(auditPolicy))
  await start('etcd', paths.etcd, etcdArguments(layout, addresses))
  const server = await start('kube-apiserver', paths['kube-apiserver'], apiServerArguments(layout, addresses))
  const connection = connectionTo(layout, serverUrl(addresses))
  await waitFor(layout, server, 'kube-apiserver', 'the API server is ready', () => answers(connection, '/readyz'))
  return connection
}

/** Starts the controller manager. */
export async function startControllerManager(layout: Layout, paths: ControlPlanePaths, start: Start): Promise<Started> {
  return start('kube-controller-manager', paths['kube-controller-manager'], controllerManagerArguments(layout))
}

/** Waits until namespaces get their ServiceAccount and the authority's ConfigMap: then the controllers are at work. */
export async function waitForControllers(layout: Layout, manager: Started, connection: Connection): Promise<void> {
  const paths = ['serviceaccounts/default', 'configmaps/kube-root-ca.crt']
  for (const path of paths) {
    await waitFor(layout, manager, 'kube-controller-manager', `${path} of the namespace default is there`, () =>
      answers(connection, `/api/v1/namespaces/default/${path}`),
    )
  }
}
