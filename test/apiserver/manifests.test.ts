import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { dump } from 'js-yaml'
import { ensureBinaries } from '../cluster/binaries.ts'
import { reportToTerminal } from '../cluster/progress.ts'
import { apiServer, demand, dropNamespace, establishCrds, makeNamespace, type ApiServer } from '../support/apiserver.ts'
import type { Anything } from '../support/hands.ts'
import { madeByChart, madeOfInstances, shippedFiles, type Manifests } from '../support/manifests.ts'
import { writeSchemas } from '../support/openApiSchemas.ts'

/** Whatever reaches a cluster from us, as those see it whose tools check manifests. */

const folder = mkdtempSync(join(tmpdir(), 'appstead-manifests-'))
let server: ApiServer
let namespace: string
let made: Manifests
let chart: Manifests
let tools: Record<'kubeconform' | 'kube-score', string>

// The first time on a machine the tools are built, which takes a minute.
beforeAll(async () => {
  server = await apiServer()
  await establishCrds(server.admin)
  namespace = await makeNamespace(server.admin, 'restricted')
  await demand(server.admin, {
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}`,
    body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
  })
  tools = await ensureBinaries(['kubeconform', 'kube-score'], reportToTerminal)
  made = await madeOfInstances()
  chart = {
    'the chart': await madeByChart(),
    'the chart, all of it': await madeByChart('podMonitor.enabled=true', 'policies.errored=Deny', 'crds.keep=false'),
    'the chart, stopped': await madeByChart('replicas=0', 'networkPolicy.enabled=false', 'crds.enabled=false'),
  }
}, 900_000)

afterAll(async () => {
  rmSync(folder, { recursive: true })
  if (server !== undefined) await dropNamespace(server.admin, namespace)
})

/** What a tool says; most of them end with 1 where they found something. */
function say(tool: keyof typeof tools, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(tools[tool], args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error && (error.code !== 1 || stdout === '')) reject(new Error(`${tool}: ${stderr}`, { cause: error }))
      else resolve(stdout)
    })
  })
}

function fileOf(objects: readonly Anything[]): string {
  const file = join(folder, `${crypto.randomUUID()}.yaml`)
  writeFileSync(file, objects.map((object) => dump(object, { noRefs: true })).join('---\n'))
  return file
}

/** Types of the Prometheus Operator, which our API server does not have. */
const foreign = 'PodMonitor'

describe('kubeconform', () => {
  it('finds nothing against the schemas of the API server', async () => {
    const all = { ...made, ...chart, ...shippedFiles() }
    const schemas = await writeSchemas(server.admin, Object.values(all).flat(), join(folder, 'schemas'))
    const args = ['-strict', '-skip', foreign, '-schema-location', schemas, '-output', 'json', '-summary']
    for (const [from, objects] of Object.entries(all)) {
      const { resources, summary } = JSON.parse(await say('kubeconform', ...args, fileOf(objects))) as Conformity
      expect({ from, resources }).toEqual({ from, resources: [] })
      expect(summary.valid).toBe(objects.filter(({ kind }) => kind !== foreign).length)
    }
    const deployment = made['examples/hello']!.find(({ kind }) => kind === 'Deployment')!
    const misspelt: Anything = { ...deployment, spec: { ...deployment.spec, replica: 1 } }
    expect(await say('kubeconform', ...args, fileOf([misspelt]))).toContain(
      "additional properties 'replica' not allowed",
    )
  }, 120_000)
})

interface Conformity {
  readonly resources: readonly object[]
  readonly summary: { readonly valid: number }
}

/** What kube-score says of an object that it finds wanting. */
interface Scored {
  readonly checks: readonly {
    readonly check: { readonly id: string }
    readonly skipped: boolean
    readonly grade: number
    readonly comments: readonly { readonly summary: string }[] | null
  }[]
}

const allOk = 10

/** What is found wanting, each once. */
async function wantsOf(objects: readonly Anything[]): Promise<readonly string[]> {
  const scored = JSON.parse(
    await say('kube-score', 'score', '--output-format', 'json', fileOf(objects)),
  ) as readonly Scored[]
  const wants = scored.flatMap(({ checks }) =>
    checks
      .filter(({ skipped, grade }) => !skipped && grade < allOk)
      .flatMap(({ check, comments }) => (comments ?? []).map(({ summary }) => `${check.id}: ${summary}`)),
  )
  return [...new Set(wants)].toSorted()
}

/** What kube-score wants and is not done, with the reason; `of` says where. */
const declined: readonly {
  readonly of: readonly ('instances' | 'chart')[]
  readonly want: string
  readonly why: string
}[] = [
  {
    of: ['instances', 'chart'],
    want: 'container-resources: CPU limit is not set',
    why: 'a limit slows a process down while nobody else wants the processor; requests share it out',
  },
  {
    of: ['instances'],
    want: 'container-resources: Memory limit is not set',
    why: 'resources.limits is for the user to say; an AppEnv bounds the sum',
  },
  {
    of: ['instances', 'chart'],
    want: 'container-ephemeral-storage-request-and-limit: Ephemeral Storage limit is not set',
    why: 'the root is read-only, and how large logs grow is the setting of the kubelet',
  },
  {
    of: ['instances', 'chart'],
    want: 'container-ephemeral-storage-request-and-limit: Ephemeral Storage request is not set',
    why: 'likewise',
  },
  {
    of: ['instances', 'chart'],
    want: 'container-image-pull-policy: ImagePullPolicy is not set to Always',
    why: 'a replica must start while the registry is down',
  },
  {
    of: ['instances'],
    want: 'container-security-context-user-group-id: The container is running with a low user ID',
    why: "the user is the image's, or security.runAsUser; never root",
  },
  {
    of: ['instances'],
    want: 'container-security-context-user-group-id: The container running with a low group ID',
    why: 'likewise',
  },
  {
    of: ['instances', 'chart'],
    want: 'pod-networkpolicy: The pod does not have a matching egress NetworkPolicy',
    why: 'whom an app calls outside is not declared; the address of an API server is not known',
  },
  {
    of: ['chart'],
    want: 'pod-networkpolicy: The pod does not have a matching NetworkPolicy',
    why: 'the Jobs of the chart answer on no port',
  },
  {
    of: ['instances'],
    want: 'pod-probes-identical: Container has the same readiness and liveness probe',
    why: 'the same request; traffic ends after two failures, the process after six, a minute later',
  },
  { of: ['instances'], want: 'deployment-replicas: Deployment few replicas', why: 'one is what its instance says' },
  {
    of: ['instances'],
    want: 'deployment-has-host-podantiaffinity: Deployment does not have a host podAntiAffinity set',
    why: 'topologySpreadConstraints spread them, also where there are more replicas than nodes',
  },
]

const declinedOf = (where: 'instances' | 'chart'): readonly string[] =>
  declined.filter(({ of }) => of.includes(where)).map(({ want }) => want)

describe('kube-score', () => {
  it('wants nothing of what is made of the examples but what is declined with a reason', async () => {
    const examples = Object.entries(made).filter(([from]) => from.startsWith('examples/'))
    const wants = await Promise.all(examples.map(([, objects]) => wantsOf(objects)))
    expect([...new Set(wants.flat())].toSorted()).toEqual(declinedOf('instances').toSorted())
  })

  it('wants nothing of the chart but what is declined with a reason', async () => {
    expect(await wantsOf(chart['the chart']!)).toEqual(declinedOf('chart').toSorted())
  })
})

/** What the API server says of a pod of this template, in a namespace that demands it. */
async function wordOn(template: Anything): Promise<string> {
  const { status, body } = await server.admin({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods?dryRun=All&fieldValidation=Strict`,
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: 'one' },
      // Its account is in another namespace.
      spec: { restartPolicy: 'Always', ...template['spec'], serviceAccountName: 'default' },
    },
  })
  return status === 201 ? 'taken' : String((body as { message?: string }).message)
}

describe('Pod Security restricted, by the API server itself', () => {
  it('takes the pod of everything that has one', async () => {
    const all = Object.entries({ ...made, ...chart, ...shippedFiles() })
    const templates = all.flatMap(([from, objects]) =>
      objects.flatMap(({ kind, metadata, spec }: Anything) =>
        spec?.template?.spec?.containers
          ? [{ what: `${from}: ${kind} ${metadata.name}`, template: spec.template }]
          : [],
      ),
    )
    expect(templates.length).toBeGreaterThan(20)
    for (const { what, template } of templates) expect(`${what}: ${await wordOn(template)}`).toBe(`${what}: taken`)
    const { template } = templates[0]!
    expect(await wordOn({ ...template, spec: { ...template['spec'], hostNetwork: true } })).toContain(
      'violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)',
    )
  }, 60_000)
})
