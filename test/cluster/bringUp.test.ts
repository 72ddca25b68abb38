import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { loadImage, startCluster, stopCluster, type Cluster } from './cluster.ts'
import { waitUntil } from './kubeApi.ts'
import { layoutOf } from './layout.ts'
import { killAll, marked, recorded, run } from './process.ts'

/** Real clusters without a node, in a folder that stands for a checkout. */

const minutes = 60_000
jest.setTimeout(minutes)
let root = ''
const lines: string[] = []
const report = (line: string): void => void lines.push(line)

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'appstead-checkout-'))
})

afterAll(async () => {
  try {
    await stopCluster({ root, report })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

const kubectl = async (cluster: Cluster, ...args: string[]): Promise<string> =>
  run(cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args])

async function expectNothingLeft(name: string): Promise<void> {
  const layout = layoutOf(name, root)
  expect(await marked(layout.folder)).toEqual([])
  expect(existsSync(layout.folder)).toBe(false)
  expect(existsSync(layout.kubeconfig)).toBe(false)
  expect(existsSync(layout.lock)).toBe(false)
}

interface AuditEvent {
  verb: string
  stage: string
  user: { username: string }
  objectRef?: { name?: string }
}

const isCounted = ({ verb, objectRef }: AuditEvent): boolean => verb === 'create' && objectRef?.name === 'counted'

describe('a cluster of level control', () => {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await startCluster({ root, level: 'control', report })
  }, 30 * minutes)

  it('is the version that its Go module names', async () => {
    const version = JSON.parse(await kubectl(cluster, 'version', '-o', 'json')) as {
      serverVersion: { gitVersion: string }
    }
    expect(readFileSync(join(import.meta.dirname, 'go/kubernetes/go.mod'), 'utf8')).toContain(
      `k8s.io/kubernetes ${version.serverVersion.gitVersion} `,
    )
  })

  it('ends namespaces and collects garbage', async () => {
    await kubectl(cluster, 'create', 'namespace', 'passing')
    await kubectl(cluster, '-n', 'passing', 'create', 'configmap', 'one')
    await kubectl(cluster, 'delete', 'namespace', 'passing', '--timeout=30s')
    expect(await kubectl(cluster, 'get', 'namespaces', '-o', 'name')).not.toContain('passing')
  })

  it('gives rights to nobody who has none', async () => {
    const refused = kubectl(cluster, 'get', 'secrets', '--as=system:serviceaccount:default:default')
    await expect(refused).rejects.toThrow('is forbidden')
  })

  it('writes every request into its audit log, once', async () => {
    await kubectl(cluster, 'create', 'configmap', 'counted')
    const read = (): AuditEvent[] =>
      readFileSync(cluster.auditLog ?? '', 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as AuditEvent)
    expect(read().filter(isCounted)).toMatchObject([{ stage: 'ResponseComplete', user: { username: 'admin' } }])
  })

  it('is not changed when it is asked for again, and that is quick', async () => {
    const before = recorded(layoutOf('default', root).folder)
    const started = Date.now()
    const again = await startCluster({ root, report })
    expect(again).toEqual({ ...cluster, alreadyRan: true })
    expect(recorded(layoutOf('default', root).folder)).toEqual(before)
    expect(Date.now() - started).toBeLessThan(2000)
  })

  it('says what to do when it is asked for at another level', async () => {
    await expect(startCluster({ root, level: 'kwok', report })).rejects.toThrow(
      'cluster default runs at level control, not kwok: remove it first (make cluster-down), ' +
        'or choose another name (make cluster LEVEL=kwok NAME=…)',
    )
  })

  it('is not swapped in silence for the cluster of KUBECONFIG', async () => {
    const environment = { APPSTEAD_USE_KUBECONFIG: '1', KUBECONFIG: '/elsewhere' }
    const surroundings = { environment, platform: 'linux', root: false, findEngine: async () => undefined }
    await expect(startCluster({ root, report, surroundings })).rejects.toThrow('and cluster default runs here')
  })

  it('runs no images, and says so', async () => {
    await expect(loadImage('x.tar', { root })).rejects.toThrow('is of level control: only level node runs images')
    await expect(loadImage('x.tar', { root, name: 'none' })).rejects.toThrow('there is no cluster none')
  })

  it('is made anew when a part of it died', async () => {
    await kubectl(cluster, 'create', 'configmap', 'before')
    const etcd = recorded(layoutOf('default', root).folder).get('etcd')
    await killAll(etcd === undefined ? [] : [etcd])
    const again = await startCluster({ root, level: 'control', report })
    expect(again.alreadyRan).toBe(false)
    expect(await kubectl(again, 'get', 'configmaps', '-o', 'name')).not.toContain('before')
  })

  it('leaves nothing behind, also when it is removed twice', async () => {
    expect(await stopCluster({ root, name: 'default', report })).toEqual(['default'])
    await expectNothingLeft('default')
    expect(await stopCluster({ root, name: 'default', report })).toEqual([])
    expect(existsSync(join(root, '.cluster'))).toBe(false)
  })
})

describe('a cluster of level kwok, next to one of level control', () => {
  it(
    'has pods that become Ready',
    async () => {
      const [one, other] = await Promise.all([
        startCluster({ root, name: 'one', level: 'kwok', report }),
        startCluster({ root, name: 'other', level: 'control', report }),
      ])
      expect(one.server).not.toBe(other.server)
      await kubectl(one, 'create', 'deployment', 'web', '--image=127.0.0.1:1/x', '--replicas=3')
      await kubectl(one, 'rollout', 'status', 'deployment/web', '--timeout=60s')
      const pods = JSON.parse(await kubectl(one, 'get', 'pods', '-o', 'json')) as { items: unknown[] }
      expect(pods.items).toHaveLength(3)
      expect(await kubectl(other, 'get', 'deployments', '-o', 'name')).toBe('')
      expect(await stopCluster({ root, report })).toEqual(['one', 'other'])
      await expectNothingLeft('one')
      await expectNothingLeft('other')
    },
    30 * minutes,
  )
})

describe('a bring-up that is cut off', () => {
  it(
    'is cleaned away',
    async () => {
      const layout = layoutOf('cut', root)
      const script = `import { startCluster } from ${JSON.stringify(join(import.meta.dirname, 'cluster.ts'))}
        await startCluster({ name: 'cut', level: 'control', root: ${JSON.stringify(root)} })`
      const child = execFile(process.execPath, ['--input-type=module-typescript', '--eval', script])
      await waitUntil('the API server starts', 60, async () => recorded(layout.folder).has('kube-apiserver'))
      child.kill('SIGKILL')
      expect((await marked(layout.folder)).length).toBeGreaterThan(0)
      expect(await stopCluster({ root, report })).toEqual(['cut'])
      await expectNothingLeft('cut')
    },
    2 * minutes,
  )
})

describe('a cluster of kind whose container engine has gone', () => {
  it(
    "is an error in kind's own words, and leaves nothing",
    async () => {
      const surroundings = { environment: {}, platform: 'linux', root: false, findEngine: async () => 'docker' }
      const wanted = { root, name: 'kind', report, surroundings }
      // Where docker is installed, its engine is looked for where there is none.
      process.env['DOCKER_HOST'] = 'tcp://127.0.0.1:1'
      await expect(startCluster(wanted)).rejects.toThrow(/kind create cluster .*docker/)
      expect(lines).toContain('cluster kind: level node; docker answers, so kind runs the node')
      expect(await stopCluster({ root, report })).toEqual([])
      delete process.env['DOCKER_HOST']
    },
    10 * minutes,
  )
})

describe('the cluster of KUBECONFIG', () => {
  it('that does not answer is an error', async () => {
    const kubeconfig = join(root, 'given')
    const cluster = { server: 'https://127.0.0.1:1' }
    const config = { clusters: [{ name: 'a', cluster }], contexts: [{ name: 'a', context: { cluster: 'a' } }] }
    writeFileSync(kubeconfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'a', ...config }))
    const environment = { APPSTEAD_USE_KUBECONFIG: '1', KUBECONFIG: kubeconfig }
    const surroundings = { environment, platform: 'linux', root: false, findEngine: async () => undefined }
    await expect(startCluster({ root, name: 'given', report, surroundings })).rejects.toThrow(
      'the cluster of KUBECONFIG (https://127.0.0.1:1) does not answer',
    )
    await stopCluster({ root, name: 'given', report })
  })

  it('is used as it is, and never removed', async () => {
    const own = await startCluster({ root, name: 'own', level: 'control', report })
    const environment = { APPSTEAD_USE_KUBECONFIG: '1', KUBECONFIG: own.kubeconfig }
    const surroundings = { environment, platform: 'linux', root: false, findEngine: async () => undefined }
    const given = await startCluster({ root, name: 'given', report, surroundings })
    expect(given).toMatchObject({ provider: 'given', server: own.server })
    expect(await kubectl(given, 'get', 'namespaces', '-o', 'name')).toContain('namespace/default')
    await expect(loadImage('x.tar', { root, name: 'given' })).rejects.toThrow('takes no image files')
    expect(await stopCluster({ root, name: 'given', report })).toEqual(['given'])
    expect(await kubectl(own, 'get', 'namespaces', '-o', 'name')).toContain('namespace/default')
    await stopCluster({ root, name: 'own', report })
  })
})
