import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { addNode, loadImage, removeNode, startCluster, stopCluster, type Cluster } from './cluster.ts'
import { makeImage } from './image.ts'
import { waitUntil } from './kubeApi.ts'
import { cgroupOf, layoutOf, nodeOf, type Layout } from './layout.ts'
import { deviceOf } from './network.ts'
import { marked, recorded, run, tryRun } from './process.ts'

/** Real nodes: two clusters of two checkouts at once. They need Linux and root. */

const minutes = 60_000
jest.setTimeout(minutes)
const canRun = process.platform === 'linux' && process.getuid?.() === 0
const whereItCan = canRun ? describe : leaveOut

/** What is not run is said aloud; in CI, where nothing may be left out, it is a failure. */
function leaveOut(name: string): void {
  describe(name, () => {
    it('are left out: a node of our own needs Linux and root', () => {
      console.warn(`NOT RUN: ${name}: a node of our own needs Linux and root`)
      expect(process.env['CI']).toBeUndefined()
    })
  })
}

let folder = ''
const roots: string[] = []
const report = (): void => undefined
// A container engine, where there is one, is left out: this is about the node of our own.
const surroundings = { environment: {}, platform: 'linux', root: true, findEngine: async () => undefined }

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'appstead-node-'))
  for (const name of ['one', 'other']) roots.push(mkdtempSync(join(folder, name)))
})

afterAll(async () => {
  try {
    for (const root of roots) await stopCluster({ root, report })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

const kubectl = async (cluster: Cluster, ...args: string[]): Promise<string> =>
  run(cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args])

const startNode = async (root: string): Promise<Cluster> => startCluster({ root, level: 'node', report, surroundings })

const server = `
const http = require('node:http')
const os = require('node:os')
http.createServer((request, response) => response.end('hello from ' + os.hostname())).listen(8080, () => console.log('listening'))
process.on('SIGTERM', () => process.exit(0))
`

/** A pod as Appstead makes them: by the rules of Pod Security's level restricted. */
const objects = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'web', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            automountServiceAccountToken: false,
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'DoNotSchedule',
                labelSelector: { matchLabels: { app: 'web' } },
              },
            ],
            containers: [
              {
                name: 'web',
                image: 'appstead.local/cluster-test:1',
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ['ALL'] },
                },
                lifecycle: { preStop: { sleep: { seconds: 1 } } },
                readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
                livenessProbe: { httpGet: { path: '/', port: 8080 } },
                volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
              },
            ],
            volumes: [{ name: 'tmp', emptyDir: {} }],
          },
        },
      },
    },
  ],
}

async function expectNothingLeft(layout: Layout): Promise<void> {
  expect(await marked(layout.folder)).toEqual([])
  expect(existsSync(layout.folder)).toBe(false)
  expect((await tryRun('ip', ['link', 'show', deviceOf(layout)])).status).not.toBe(0)
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(layout.folder)
  expect(await run('find', ['/sys/fs/cgroup', '-name', cgroupOf(layout).slice(1)])).toBe('')
  expect(await run('ps', ['-eo', 'args'])).not.toContain(layout.folder)
}

/** What a kubelet sets for the whole machine where nobody stops it. */
const readKernelSettings = (): string[] =>
  ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'].map((path) =>
    readFileSync(`/proc/sys/${path}`, 'utf8'),
  )

whereItCan('two clusters of level node', () => {
  const clusters: Cluster[] = []
  const kernelSettings = canRun ? readKernelSettings() : []

  beforeAll(async () => {
    clusters.push(...(await Promise.all(roots.map(startNode))))
    const script = join(folder, 'server.js')
    writeFileSync(script, server)
    const spec = {
      name: 'appstead.local/cluster-test:1',
      node: true,
      files: { '/app/server.js': script },
      entrypoint: ['node', '/app/server.js'],
    }
    const image = await makeImage(spec, join(folder, 'image.tar'))
    // The pods below have no other way to their image.
    await loadImage(relative(process.cwd(), image.path), { root: roots[0] ?? '' })
    const file = join(folder, 'objects.json')
    writeFileSync(file, JSON.stringify(objects))
    await kubectl(one(), 'apply', '-f', file)
    await kubectl(one(), '-n', 'web', 'rollout', 'status', 'deployment/web', '--timeout=120s')
    // On any cluster kube-proxy learns of a Ready pod a moment later.
    const url = `http://${await serviceAddress()}/`
    await waitUntil('the Service answers', 10, async () => (await fetch(url).catch(() => undefined))?.status === 200)
  }, 40 * minutes)

  function one(): Cluster {
    const [cluster] = clusters
    if (cluster === undefined) throw new Error('the cluster did not come up')
    return cluster
  }

  const serviceAddress = async (): Promise<string> =>
    kubectl(one(), '-n', 'web', 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')

  it('have addresses of their own and know nothing of each other', async () => {
    const [, other] = clusters
    expect(new Set(clusters.map((cluster) => cluster.server)).size).toBe(2)
    expect(other === undefined ? '' : await kubectl(other, 'get', 'namespaces', '-o', 'name')).not.toContain('web')
  })

  it('answer to this host, by the address of a Service and of a pod', async () => {
    const podAddress = await kubectl(one(), '-n', 'web', 'get', 'pods', '-o', 'jsonpath={.items[0].status.podIP}')
    for (const url of [`http://${await serviceAddress()}/`, `http://${podAddress}:8080/`]) {
      const response = await fetch(url, { signal: AbortSignal.timeout(5000) })
      expect(await response.text()).toMatch(/^hello from web-/)
    }
  })

  /** How many pods answer for the Service, asked by one of them. */
  async function seenBy(pod: string): Promise<string> {
    // A connection that is kept goes to one pod; new ones are spread.
    const script = `const [hosts, headers] = [new Set(), { connection: 'close' }]
      for (let i = 0; i < 40; i++) hosts.add(await (await fetch('http://${await serviceAddress()}/', { headers })).text())
      console.log(hosts.size)`
    return kubectl(one(), '-n', 'web', 'exec', pod, '--', 'node', '--input-type=module', '--eval', script)
  }

  it('answer to a pod, also to the one behind the Service itself', async () => {
    expect(await seenBy('deployment/web')).toBe('2\n')
  })

  it('name an image file that is not there as it was found from the working directory', async () => {
    const path = join(process.cwd(), 'not-here.tar')
    await expect(loadImage('not-here.tar', { root: roots[0] ?? '' })).rejects.toThrow(path)
  })

  it('have logs, and run commands in pods', async () => {
    expect(await kubectl(one(), '-n', 'web', 'logs', 'deployment/web')).toBe('listening\n')
    const script = `process.stdout.write(String(process.getuid())); fs.writeFileSync('/tmp/x', ''); fs.writeFileSync('/x', '')`
    const written = kubectl(one(), '-n', 'web', 'exec', 'deployment/web', '--', 'node', '--eval', script)
    await expect(written).rejects.toThrow(/read-only file system[\s\S]*65532|65532[\s\S]*read-only|EROFS/)
  })

  it('restart a pod that died', async () => {
    await kubectl(one(), '-n', 'web', 'delete', 'pods', '--all', '--timeout=30s')
    await kubectl(one(), '-n', 'web', 'rollout', 'status', 'deployment/web', '--timeout=60s')
  })

  /** The pods, by the name of their node. */
  async function podsByNode(): Promise<Record<string, readonly string[]>> {
    const fields = '{range .items[*]}{.spec.nodeName} {.metadata.name} {.status.podIP}{"\\n"}{end}'
    const lines = (await kubectl(one(), '-n', 'web', 'get', 'pods', '-o', `jsonpath=${fields}`)).trim().split('\n')
    return Object.fromEntries(
      ['node-1', 'node-2'].map((node) => [node, lines.filter((line) => line.startsWith(`${node} `))]),
    )
  }

  it('take a second node: half of the pods go there, and all answer all; it leaves nothing on the first', async () => {
    const second = { root: roots[0] ?? '', report }
    const rolledOut = ['-n', 'web', 'rollout', 'status', 'deployment/web', '--timeout=60s']
    const layout = layoutOf('default', second.root)
    await addNode(second)
    await kubectl(one(), '-n', 'web', 'scale', 'deployment/web', '--replicas=4')
    await kubectl(one(), ...rolledOut)
    const pods = await podsByNode()
    expect([pods['node-1']?.length, pods['node-2']?.length]).toEqual([2, 2])
    for (const line of Object.values(pods).map(([first = '']) => first)) {
      const [, pod = '', address = ''] = line.split(' ')
      await waitUntil(`${pod} reaches all four`, 20, async () => (await seenBy(pod)) === '4\n')
      const answer = await fetch(`http://${address}:8080/`, { signal: AbortSignal.timeout(5000) })
      expect(await answer.text()).toBe(`hello from ${pod}`)
    }
    expect((await startNode(second.root)).alreadyRan).toBe(true)
    await removeNode(second)
    await kubectl(one(), ...rolledOut)
    expect((await podsByNode())['node-1']).toHaveLength(4)
    expect(await run('find', ['/sys/fs/cgroup', '-path', `*${nodeOf(layout, 2).cgroup}`])).toBe('')
    expect(existsSync(nodeOf(layout, 2).folder)).toBe(false)
    expect([...recorded(layout.folder).keys()].filter((name) => name.endsWith('-2'))).toEqual([])
    // It is there again when all is removed, below.
    await addNode(second)
  })

  it('are not changed when asked for again', async () => {
    const started = Date.now()
    expect((await startNode(roots[0] ?? '')).alreadyRan).toBe(true)
    expect(Date.now() - started).toBeLessThan(2000)
  })

  it('leave nothing behind, the other one running on', async () => {
    const [root = '', otherRoot = ''] = roots
    expect(await stopCluster({ root, report })).toEqual(['default'])
    await expectNothingLeft(layoutOf('default', root))
    const [, other] = clusters
    expect(other === undefined ? '' : await kubectl(other, 'get', 'nodes')).toMatch(/node-1 +Ready/)
    expect(await stopCluster({ root: otherRoot, report })).toEqual(['default'])
    await expectNothingLeft(layoutOf('default', otherRoot))
    expect(readKernelSettings()).toEqual(kernelSettings)
  })
})

whereItCan('a bring-up of a node that is cut off', () => {
  it(
    'is cleaned away',
    async () => {
      const [root = ''] = roots
      const layout = layoutOf('cut', root)
      const script = `import { startCluster } from ${JSON.stringify(join(import.meta.dirname, 'cluster.ts'))}
        const surroundings = { environment: {}, platform: 'linux', root: true, findEngine: async () => undefined }
        await startCluster({ name: 'cut', level: 'node', root: ${JSON.stringify(root)}, surroundings })`
      const child = execFile(process.execPath, ['--input-type=module-typescript', '--eval', script])
      await waitUntil('the kubelet starts', 120, async () => recorded(layout.folder).has('kubelet'))
      child.kill('SIGKILL')
      expect(await stopCluster({ root, report })).toEqual(['cut'])
      await expectNothingLeft(layout)
    },
    3 * minutes,
  )
})
