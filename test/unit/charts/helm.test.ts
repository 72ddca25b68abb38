import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { loadAll } from 'js-yaml'
import { admissionObjects, erroredSettings } from '../../../charts/policyTemplate.ts'
import { ensureHelm } from '../../cluster/binaries.ts'
import { reportToTerminal } from '../../cluster/progress.ts'

const chart = fileURLToPath(new URL('../../../charts/appstead', import.meta.url))

interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string; labels: Record<string, string>; annotations?: Record<string, string> }
  spec: {
    replicas: number
    template: { spec: PodSpec }
    selector: { matchLabels: Record<string, string> }
  }
}

interface PodSpec {
  affinity?: { podAntiAffinity: unknown }
  securityContext: unknown
  terminationGracePeriodSeconds: number
  containers: { image: string; securityContext: unknown; resources: unknown }[]
}

let helm = 'helm'

// The first time on a machine it is built, which takes minutes.
beforeAll(async () => {
  helm = await ensureHelm(reportToTerminal)
}, 900_000)

function render(...values: string[]): Manifest[] {
  const sets = values.flatMap((value) => ['--set', value])
  const args = ['template', 'appstead', chart, '--namespace', 'somewhere', '--kube-version', '1.36.3', ...sets]
  return (loadAll(execFileSync(helm, args, { encoding: 'utf8' })) as (Manifest | null)[]).filter(
    (each) => each !== null,
  )
}

function renderError(...args: string[]): string {
  const { status, stderr } = spawnSync(helm, ['template', 'appstead', chart, ...args], { encoding: 'utf8' })
  return status === 0 ? 'rendered' : stderr
}

const ofKind = (manifests: readonly Manifest[], kind: string): Manifest[] =>
  manifests.filter((each) => each.kind === kind)

const policies = (...values: string[]): unknown[] =>
  ofKind(render(...values), 'CustomResourceDefinition').map(
    ({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'],
  )

describe('helm', () => {
  it('lints the chart without a warning', () => {
    const output = execFileSync(helm, ['lint', '--strict', chart], { encoding: 'utf8' })
    expect(output).toContain('1 chart(s) linted, 0 chart(s) failed')
  })

  it.each([
    [
      'a misspelt value',
      ['--set', 'settings.loglevel=debug'],
      "at '/settings': additional properties 'loglevel' not allowed",
    ],
    ['a misspelt top-level value', ['--set', 'replica=1'], "additional properties 'replica' not allowed"],
    ['a wrong type', ['--set-string', 'settings.workers=many'], "at '/settings/workers': got string, want integer"],
    ['a value out of range', ['--set', 'replicas=6'], "at '/replicas': maximum: got 6, want 5"],
    ['a wrong word', ['--set', 'settings.logLevel=loud'], "at '/settings/logLevel': value must be one of"],
    ['an old cluster', ['--kube-version', '1.32.9'], 'kubeVersion: >=1.33.0-0'],
  ])('refuses %s and names it', (_what, args, message) => {
    expect(renderError(...args)).toContain(message)
  })
})

/** Specs by kind and name. */
const specsOf = (objects: readonly { kind: string; metadata: { name: string }; spec: unknown }[]) =>
  Object.fromEntries(objects.map(({ kind, metadata, spec }) => [`${kind} ${metadata.name}`, spec]))

const jobOf = (name: string, ...values: string[]): Manifest | undefined =>
  ofKind(render(...values), 'Job').find(({ metadata }) => metadata.name === `appstead-${name}`)

describe('the rendered chart', () => {
  it('has what the operator needs and nothing else', () => {
    const kinds = render().map(({ kind }) => kind)
    expect([...new Set(kinds)].toSorted()).toEqual([
      'ClusterRole',
      'ClusterRoleBinding',
      'CustomResourceDefinition',
      'Deployment',
      'FlowSchema',
      'Job',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Role',
      'RoleBinding',
      'ServiceAccount',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
    ])
  })

  it('carries the standard labels on every object, and no namespace but its own', () => {
    for (const { metadata } of render()) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/name': 'appstead',
        'app.kubernetes.io/instance': 'appstead',
        'app.kubernetes.io/managed-by': 'Helm',
      })
      expect([undefined, 'somewhere']).toContain(metadata.namespace)
    }
  })

  it.each(erroredSettings)('has the policies of the API server, when policies.errored is %s', (errored) => {
    const rendered = render(`policies.errored=${errored}`).filter(({ kind }) => kind.startsWith('ValidatingAdmission'))
    const account = 'system:serviceaccount:somewhere:appstead'
    const objects = admissionObjects({ name: 'appstead', namespace: 'somewhere', account, errored })
    expect(specsOf(rendered)).toEqual(specsOf(objects))
  })

  it('keeps the CRDs on uninstall, unless told otherwise', () => {
    expect(new Set(policies())).toEqual(new Set(['keep']))
    expect(new Set(policies('crds.keep=false'))).toEqual(new Set([undefined]))
    expect(policies('crds.enabled=false')).toEqual([])
  })

  it('runs two operators, apart if it can be, and never has fewer while it is updated or a node is drained', () => {
    const manifests = render()
    const [deployment] = ofKind(manifests, 'Deployment')
    expect(deployment?.spec).toMatchObject({
      replicas: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    })
    const selector = { 'app.kubernetes.io/name': 'appstead', 'app.kubernetes.io/instance': 'appstead' }
    const terms = deployment?.spec.template.spec.affinity?.podAntiAffinity
    expect(terms).toEqual({
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: selector } },
        },
      ],
    })
    const [budget] = ofKind(manifests, 'PodDisruptionBudget')
    expect(budget?.spec).toMatchObject({ maxUnavailable: 1, selector: { matchLabels: selector } })
  })

  it.each([0, 1])('has no budget for %d pods: it would only keep a node from being drained', (replicas) => {
    expect(ofKind(render(`replicas=${replicas}`), 'PodDisruptionBudget')).toEqual([])
  })

  it('lets nobody connect to the operator but for its metrics, which a PodMonitor may have scraped', () => {
    const [policy] = ofKind(render(), 'NetworkPolicy')
    expect(policy?.spec).toMatchObject({ policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 'metrics' }] }] })
    expect(ofKind(render('networkPolicy.enabled=false'), 'NetworkPolicy')).toEqual([])
    expect(ofKind(render(), 'PodMonitor')).toEqual([])
    const [monitor] = ofKind(render('podMonitor.enabled=true', 'podMonitor.labels.release=prometheus'), 'PodMonitor')
    expect(monitor?.metadata.labels).toMatchObject({ release: 'prometheus', 'app.kubernetes.io/name': 'appstead' })
    expect(monitor?.spec).toMatchObject({ podMetricsEndpoints: [{ port: 'metrics', path: '/metrics' }] })
  })

  it.each([
    ['crds.keep=true', []],
    ['crds.keep=false', ['--with-definitions']],
  ])('asks before an uninstall what would be left behind, with %s', (value, args) => {
    const job = jobOf('before-uninstall', value)
    expect(job?.metadata.annotations).toMatchObject({
      'helm.sh/hook': 'pre-delete',
      'helm.sh/hook-output-log-policy': 'hook-failed',
    })
    const [container] = job!.spec.template.spec.containers
    expect(container).toMatchObject({ command: ['node', 'operator/jobs/beforeUninstall.js', ...args] })
    const [budget] = ofKind(render(), 'PodDisruptionBudget')
    expect(job!.spec.template).not.toMatchObject({ metadata: { labels: budget!.spec.selector.matchLabels } })
  })

  it('asks nothing where no pod of it runs: replicas is 0', () => {
    expect(ofKind(render('replicas=0'), 'Job')).toEqual([])
  })

  it('has a test of what was installed, whose words helm shows', () => {
    const job = jobOf('self-test')
    expect(job?.metadata.annotations).toMatchObject({
      'helm.sh/hook': 'test',
      'helm.sh/hook-output-log-policy': 'hook-succeeded,hook-failed',
    })
    expect(job!.spec.template.spec.containers[0]).toMatchObject({ command: ['node', 'operator/jobs/selfTest.js'] })
  })

  it('gives the account of the pod the rights on the Lease, in the namespace of the release', () => {
    const [binding] = ofKind(render('serviceAccount.name=other'), 'RoleBinding')
    expect(binding).toMatchObject({
      metadata: { namespace: 'somewhere' },
      roleRef: { kind: 'Role', name: 'appstead' },
      subjects: [{ kind: 'ServiceAccount', name: 'other', namespace: 'somewhere' }],
    })
    expect(ofKind(render(), 'Role')[0]?.metadata).toMatchObject({ name: 'appstead', namespace: 'somewhere' })
  })

  it('lets the Lease go before what the operator itself asks of the API server', () => {
    const [schema] = ofKind(render('serviceAccount.name=other'), 'FlowSchema')
    expect(schema?.spec).toMatchObject({
      priorityLevelConfiguration: { name: 'leader-election' },
      rules: [
        {
          subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: 'other', namespace: 'somewhere' } }],
          resourceRules: [{ resources: ['leases'], namespaces: ['somewhere'] }],
        },
      ],
    })
  })

  it('runs the operator as nobody, with nothing it could write to', () => {
    const [deployment] = ofKind(render('settings.stopGraceSeconds=40'), 'Deployment')
    const { securityContext, containers, terminationGracePeriodSeconds } = deployment!.spec.template.spec
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(terminationGracePeriodSeconds).toBeGreaterThan(40)
    expect(containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(containers[0]?.resources).toEqual({
      requests: { cpu: '100m', memory: '192Mi' },
      limits: { memory: '512Mi' },
    })
  })

  it.each([
    [[], 'appstead.local/operator:0.1.0'],
    [['image.repository=r.example/o', 'image.tag=v7'], 'r.example/o:v7'],
    [[`image.tag=v7`, `image.digest=sha256:${'a'.repeat(64)}`], `appstead.local/operator@sha256:${'a'.repeat(64)}`],
  ])('takes the image from %j', (values, image) => {
    const [deployment] = ofKind(render(...values), 'Deployment')
    expect(deployment?.spec.template.spec.containers[0]?.image).toBe(image)
  })
})
