import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitUntil } from '../../cluster/kubeApi.ts'
import { failOnLeaks, leaksIn } from '../../support/canaries.ts'
import { leaksInCluster } from '../../support/clusterLeaks.ts'
import { faultsOf, idOf, parseExposition, valueOf, type Family } from '../../support/exposition.ts'
import { makePodsReady } from '../../support/kubelet.ts'
import { logMessages } from '../../support/logMessages.ts'
import { startOperatorProcess, type OperatorProcess } from '../../support/operatorProcess.ts'
import { makeProject, productCluster, type ProductCluster, type Project } from '../../support/productCluster.ts'
import { makeApp, makeInstance, web } from './world.ts'

let cluster: ProductCluster
let operator: OperatorProcess | undefined

beforeAll(async () => {
  cluster = await productCluster()
}, 120_000)
afterEach(async () => {
  await operator?.stop()
  operator = undefined
}, 30_000)

async function start(stdout?: number): Promise<OperatorProcess> {
  const made = await startOperatorProcess({
    kubeconfig: cluster.operatorKubeconfig,
    ...(stdout !== undefined && { stdout }),
  })
  operator = made
  return made
}

/** A new instance with a generated secret, from its creation to Running. */
async function createInstance(): Promise<Project> {
  const { hands } = cluster
  const project = await makeProject(hands)
  const { namespace, instance } = project
  await hands.apply(makeApp(project, [{ ...web, generatedSecrets: [{ name: 'SESSION_SECRET' }] }]))
  await hands.apply(makeInstance(project))
  await waitUntil(`${instance} is running`, 40, async () => {
    await makePodsReady(hands, instance)
    return (await hands.get('AppInstance', { namespace, name: instance }))['status']?.phase === 'Running'
  })
  return project
}

/** An instance whose namespace is somebody else's; resolves when that is told. Out: its project. */
async function createErrored(): Promise<Project> {
  const { hands } = cluster
  const project = await makeProject(hands)
  const { namespace, instance } = project
  await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: instance } })
  await hands.apply(makeApp(project, [web]))
  await hands.apply(makeInstance(project))
  await waitUntil(`${instance} is Errored`, 40, async () => {
    return (await hands.get('AppInstance', { namespace, name: instance }))['status']?.phase === 'Errored'
  })
  return project
}

/** All lines of the operator's log so far. */
function linesOf(process: OperatorProcess): readonly Record<string, unknown>[] {
  return process
    .output()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

const names = [
  'controller_runtime_reconcile_total',
  'controller_runtime_reconcile_errors_total',
  'controller_runtime_terminal_reconcile_errors_total',
  'controller_runtime_reconcile_panics_total',
  'controller_runtime_reconcile_timeouts_total',
  'controller_runtime_reconcile_time_seconds',
  'controller_runtime_max_concurrent_reconciles',
  'controller_runtime_active_workers',
  'workqueue_depth',
  'workqueue_adds_total',
  'workqueue_queue_duration_seconds',
  'workqueue_work_duration_seconds',
  'workqueue_unfinished_work_seconds',
  'workqueue_longest_running_processor_seconds',
  'workqueue_retries_total',
  'rest_client_requests_total',
  'leader_election_master_status',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_open_fds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_gc_duration_seconds',
  'appstead_watch_synced',
  'appstead_throttled_keys',
  'appstead_contested_objects',
  'appstead_status_writes_total',
  'appstead_status_writes_coalesced_total',
  'appstead_log_lines_dropped_total',
]

describe('the operator as a process', () => {
  it('shows in /metrics what it did, without faults and without a name of a tenant', async () => {
    const process = await start()
    const project = await createInstance()
    const text = await process.scrape()
    const found = parseExposition(text)
    expect(faultsOf(found)).toEqual([])
    expect(names.filter((name) => (found.get(name)?.samples.length ?? 0) === 0)).toEqual([])
    expect(Object.values(project).filter((name: string) => text.includes(name))).toEqual([])

    const of = (id: string): number => valueOf(found, id) ?? Number.NaN
    const labels = 'controller="appinstances"'
    expect(of(`controller_runtime_reconcile_total{${labels},result="success"}`)).toBeGreaterThan(2)
    expect(of(`controller_runtime_reconcile_panics_total{${labels}}`)).toBe(0)
    expect(of(`controller_runtime_max_concurrent_reconciles{${labels}}`)).toBe(8)
    expect(of(`controller_runtime_reconcile_time_seconds_sum{${labels}}`)).toBeGreaterThan(0.005)
    expect(of(`controller_runtime_reconcile_time_seconds_sum{${labels}}`)).toBeLessThan(60)
    expect(of(`workqueue_adds_total{${labels},name="appinstances"}`)).toBeGreaterThan(2)
    expect(of(`appstead_status_writes_total{${labels}}`)).toBeGreaterThan(1)
    const sum = (name: string, label: string, value: string): number =>
      (found.get(name)?.samples ?? [])
        .filter((sample) => sample.labels[label] === value)
        .reduce((total, sample) => total + sample.value, 0)
    expect(sum('rest_client_requests_total', 'method', 'POST')).toBeGreaterThan(3)
    expect(sum('rest_client_requests_total', 'code', '500')).toBe(0)
    expect(found.get('leader_election_master_status')?.samples.map(({ value }) => value)).toEqual([1])
    const synced = found.get('appstead_watch_synced')?.samples ?? []
    expect(synced.length).toBeGreaterThan(8)
    expect(synced.filter(({ value }) => value !== 1)).toEqual([])

    const again = parseExposition(await process.scrape())
    expect(seriesOf(again)).toEqual(seriesOf(found))
  }, 90_000)

  it('logs lines of JSON, each with a constant message, and of a reconcile with which one it was', async () => {
    const process = await start()
    const { namespace, instance } = await createInstance()
    // What is locked in a project hangs on its Namespace, which has no generation; it may be locked after that is told.
    const errored = await createErrored()
    const isLockTold = ({ controller, key }: Record<string, unknown>): boolean =>
      controller === 'namespaces' && String(key).includes(errored.namespace)
    await waitUntil('its lock is told in the log', 40, () => Promise.resolve(linesOf(process).some(isLockTold)))
    const lines = linesOf(process)
    const messages = new Set(logMessages())
    expect(lines.filter(({ msg }) => !messages.has(msg as string))).toEqual([])
    expect(new Set(lines.map(({ level }) => level))).not.toContain(undefined)
    const reconciles = lines.filter(({ msg }) => msg === 'Reconciled')
    for (const { generation, ...line } of reconciles) {
      expect(typeof generation).toBe(line['controller'] === 'namespaces' ? 'undefined' : 'number')
      expect(line).toEqual({
        level: expect.stringMatching(/^(debug|info|warn|error)$/),
        time: expect.any(String),
        controller: expect.stringMatching(/^(app|namespaces$)/),
        key: expect.stringContaining('/'),
        reconcileID: expect.stringMatching(/^[0-9a-f-]{36}$/),
        outcome: expect.objectContaining({ kind: expect.any(String) }),
        milliseconds: expect.any(Number),
        msg: 'Reconciled',
      })
    }
    expect(new Set(reconciles.map(({ reconcileID }) => reconcileID)).size).toBe(reconciles.length)
    expect(reconciles.map(({ key }) => key)).toContain(`${namespace}/${instance}`)
    expect(reconciles.filter(isLockTold)).not.toEqual([])
    for (const line of lines.filter(({ err }) => err !== undefined)) {
      expect(line).toMatchObject({ err: { type: expect.any(String), message: expect.any(String) } })
    }
    for (const line of lines.filter(({ msg }) => msg === 'Reconciling again after a failure')) {
      expect(line).toMatchObject({ thrown: expect.stringMatching(/^(transient|forbidden|refused|bug)$/) })
      expect(line).toMatchObject({ key: expect.any(String), reconcileID: expect.any(String), err: expect.anything() })
    }
    // What is as it should be is worth no line in a day's log.
    expect(reconciles.filter(({ level, outcome }) => level !== 'debug' && isSettled(outcome))).toEqual([])
  }, 90_000)

  it('shows no secret in its log, its metrics, events, statuses and whatever it makes', async () => {
    const process = await start()
    const { instance } = await createInstance()
    const secrets = await cluster.hands.list('Secret', instance)
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^web-session-secret-/)])
    failOnLeaks([
      ...(await leaksInCluster(cluster.hands.admin)),
      ...leaksIn('its output', process.output()),
      ...leaksIn('/metrics', await process.scrape()),
    ])
    // The search would find it: the value is known now.
    const [value] = Object.values(secrets[0]?.['data'] as Record<string, string>)
    expect(leaksIn('a text', `a ${Buffer.from(value ?? '', 'base64').toString()} b`)).toHaveLength(1)
  }, 90_000)

  it.each(['nobody reads', 'nobody holds any more'])(
    'goes on reconciling and ends when told to with an output that %s',
    async (what) => {
      const pipe = makeFullPipe()
      const process = await start(what === 'nobody reads' ? pipe.writer : undefined)
      if (what !== 'nobody reads') process.child.stdout?.destroy()
      await createInstance()
      const found = parseExposition(await process.scrape())
      expect(
        valueOf(found, 'controller_runtime_reconcile_total{controller="appinstances",result="success"}'),
      ).toBeGreaterThan(2)
      expect(await process.stop()).toBe(0)
      pipe.close()
    },
    90_000,
  )
})

function isSettled(outcome: unknown): boolean {
  return (outcome as { readonly kind: string }).kind === 'settled'
}

function seriesOf(families: ReadonlyMap<string, Family>): readonly string[] {
  return [...families.values()].flatMap(({ samples }) => samples.map(idOf))
}

/** A pipe that takes nothing more: `writer` is its end to write to. */
function makeFullPipe(): { readonly writer: number; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'full-pipe-'))
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const filler = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  // A file description of its own: whether it blocks is not shared with the other.
  const writer = openSync(path, constants.O_WRONLY)
  try {
    for (;;) writeSync(filler, 'x'.repeat(4096))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
  }
  return {
    writer,
    close() {
      for (const end of [filler, writer]) closeSync(end)
      rmSync(folder, { recursive: true })
    },
  }
}
