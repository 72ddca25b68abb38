import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBinaries } from '../cluster/binaries.ts'
import { loadImage } from '../cluster/cluster.ts'
import { makeImage } from '../cluster/image.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { reportToTerminal } from '../cluster/progress.ts'
import type { NodeWorld } from './world.ts'

/** metrics-server in a pod: without it a HorizontalPodAutoscaler knows no load, and does nothing. */

const namespace = 'test-metrics'
const apiService = 'v1beta1.metrics.k8s.io'
const name = 'metrics-server'
const image = 'appstead.local/metrics-server:1'
const labels = { app: name }

const args = [
  '--kubelet-insecure-tls',
  '--kubelet-preferred-address-types=InternalIP',
  '--metric-resolution=10s',
  '--kubelet-request-timeout=5s',
  '--cert-dir=/tmp',
  '--secure-port=10250',
]

const container = {
  name,
  image,
  imagePullPolicy: 'IfNotPresent',
  args,
  ports: [{ name: 'https', containerPort: 10250 }],
  readinessProbe: { httpGet: { path: '/readyz', port: 'https', scheme: 'HTTPS' }, periodSeconds: 2 },
}

/** It reads what kubelets measure, checks who asks, and is a part of the API server: no rights are too many for a test. */
const objects: readonly object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: labels, ports: [{ port: 443, targetPort: 'https' }] },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [container], volumes: [], terminationGracePeriodSeconds: 1 },
      },
    },
  },
  {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: apiService },
    spec: {
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      service: { name, namespace },
      insecureSkipTLSVerify: true,
      groupPriorityMinimum: 100,
      versionPriority: 100,
    },
  },
]

/** Builds metrics-server where that was not done yet, and starts it; resolves when it measures the node. */
export async function startMetricsServer({ cluster, kubectl }: NodeWorld): Promise<void> {
  const report = reportToTerminal
  const { [name]: binary } = await ensureBinaries([name], report)
  const folder = mkdtempSync(join(tmpdir(), 'appstead-metrics-'))
  try {
    const files = { [`/${name}`]: binary, '/tmp/.keep': { text: '' } }
    const made = await makeImage({ name: image, files, entrypoint: [`/${name}`], user: '0' }, join(folder, 'image.tar'))
    await loadImage(made.path, { name: cluster.name, report })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  await kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), namespace)
  await kubectl.text('wait', `apiservice/${apiService}`, '--for=condition=Available', '--timeout=90s')
  await waitUntil('the node is measured', 60, async () => {
    const { status, stdout } = await kubectl.ask('top', 'nodes', '--no-headers')
    return status === 0 && stdout.trim() !== ''
  })
}

/** The part of the API goes first: while nobody serves it, no namespace of the cluster can be removed. */
export async function stopMetricsServer({ kubectl }: NodeWorld): Promise<void> {
  await kubectl.ask('delete', 'apiservice', apiService, '--ignore-not-found')
  await kubectl.ask('delete', 'clusterrolebinding', namespace, '--ignore-not-found')
  await kubectl.ask('delete', 'namespace', namespace, '--ignore-not-found', '--wait=false')
}
