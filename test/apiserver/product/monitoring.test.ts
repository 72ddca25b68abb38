import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { load } from 'js-yaml'
import { boards } from '../../../integrations/monitoring/dashboards.ts'
import { waitUntil } from '../../cluster/kubeApi.ts'
import { searchPath, tryRun } from '../../cluster/process.ts'
import { recordedNames } from '../../phases/recorded.ts'
import { namespaceOf, seriesOf } from '../../phases/series.ts'
import { startOperatorProcess, type OperatorProcess } from '../../support/operatorProcess.ts'
import { makeProject, productCluster, type ProductCluster, type Project } from '../../support/productCluster.ts'
import { checkRules, startPrometheus, testRules, type Prometheus } from '../../support/prometheus.ts'
import { makeApp, makeInstance } from './world.ts'

/** integrations/monitoring, evaluated by a real Prometheus on a running operator and on what kube-state-metrics showed. */

const monitoring = new URL('../../../integrations/monitoring/', import.meta.url)
const alertsFile = fileURLToPath(new URL('alerts.yaml', monitoring))

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly annotations: { readonly description: string }
}
const { groups } = load(readFileSync(alertsFile, 'utf8')) as { groups: { name: string; rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)

/** What is to be alerted of an instance that stays as it was recorded for as long as each alert waits. */
const expected: Readonly<Record<string, readonly string[]>> = {
  'not-seen-yet': [],
  pending: ['AppsteadNotAvailable', 'AppsteadRolloutStuck'],
  creating: ['AppsteadNotAvailable', 'AppsteadRolloutStuck'],
  // Recorded in its first roll-out: nobody was served yet.
  deploying: ['AppsteadNotAvailable', 'AppsteadRolloutStuck'],
  running: [],
  'running-changes-pending': [],
  suspended: [],
  invalid: ['AppsteadSpecRefused'],
  'degraded-reconciling': ['AppsteadRolloutStuck'],
  'degraded-stalled': ['AppsteadRolloutGivenUp'],
  'down-reconciling': ['AppsteadNotAvailable', 'AppsteadRolloutStuck'],
  'down-stalled': ['AppsteadNotAvailable', 'AppsteadRolloutGivenUp'],
  'errored-creation': ['AppsteadCreationErrored'],
  deleting: ['AppsteadRemovalLasts'],
  'errored-cleanup': ['AppsteadRemovalErrored'],
}

let cluster: ProductCluster
let project: Project
let operator: OperatorProcess
let prometheus: Prometheus
/** What the stand-in for kube-state-metrics shows: its own words on these instances. */
let shown: readonly string[] = ['running']
const series = createServer((_request, response) => response.end(seriesOf(shown)))

beforeAll(async () => {
  cluster = await productCluster()
  operator = await startOperatorProcess({ kubeconfig: cluster.operatorKubeconfig })
  project = await makeProject(cluster.hands)
  await cluster.hands.apply(makeApp(project))
  await cluster.hands.apply(makeInstance(project))
  const { hands } = cluster
  const made = { namespace: '', name: project.instance }
  await waitUntil('the instance has its namespace', 40, async () => (await hands.find('Namespace', made)) !== undefined)
  series.listen(0, '127.0.0.1')
  await once(series, 'listening')
  const jobs = { operator: operator.metricsPort, 'kube-state-metrics': (series.address() as AddressInfo).port }
  // What waits for minutes is to be seen at once.
  const hasty = groups.map((group) => ({ ...group, rules: group.rules.map(({ for: _for, ...rule }) => rule) }))
  prometheus = await startPrometheus({ jobs, groups: hasty })
}, 180_000)

afterAll(async () => {
  await prometheus?.stop()
  await operator?.stop()
  series.close()
}, 60_000)

/** Alerts by the namespace of the instance they are of, '' where of none. */
async function alertsByNamespace(): Promise<Readonly<Record<string, readonly string[]>>> {
  const found: Record<string, string[]> = {}
  for (const { labels } of await prometheus.alerts())
    (found[labels['namespace'] ?? ''] ??= []).push(labels['alertname'] ?? '')
  return Object.fromEntries(Object.entries(found).map(([namespace, names]) => [namespace, names.toSorted()]))
}

describe('the alerts', () => {
  it('are good to promtool', () => checkRules(alertsFile), 120_000)
  it('wait as long as they should, and pass over what is not ours', () =>
    testRules(fileURLToPath(new URL('tests.yaml', monitoring))))
  it('are quiet while the operator and an instance are well', async () => {
    await prometheus.untilJudged()
    expect(await prometheus.alerts()).toEqual([])
  })
  it('tell of each recorded instance what is to be told, and of no other', async () => {
    shown = recordedNames()
    await prometheus.untilJudged()
    const wanted = Object.entries(expected).filter(([, names]) => names.length > 0)
    expect(Object.keys(expected).toSorted()).toEqual([...shown].toSorted())
    expect(await alertsByNamespace()).toEqual(
      Object.fromEntries(wanted.map(([name, names]) => [namespaceOf(name), names])),
    )
  })
})

/** The expressions of a board, as Grafana asks for them with these values of its variables. */
function expressionsOf(board: keyof typeof boards, values: Readonly<Record<string, string>>): readonly string[] {
  const targets = boards[board]!.rows.flatMap(({ panels }) => panels.flatMap((panel) => Object.values(panel.targets)))
  return targets.map((text) =>
    text.replaceAll(
      /\$(\w+)/g,
      (_all, name: string) => values[name] ?? (name === '__rate_interval' ? '1m' : 'missing'),
    ),
  )
}

async function withoutData(expressions: readonly string[]): Promise<readonly string[]> {
  const empty: string[] = []
  for (const each of expressions) if ((await prometheus.query(each)).length === 0) empty.push(each)
  return empty
}

describe('the boards', () => {
  it('find data in every panel', async () => {
    shown = recordedNames()
    await prometheus.untilJudged()
    const running = { namespace: namespaceOf('running'), appinstance: 'hello-dev' }
    expect(await withoutData(expressionsOf('fleet', { namespace: '.*' }))).toEqual([])
    expect(await withoutData(expressionsOf('instance', running))).toEqual([])
  })
})

describe('metrics that alerts name', () => {
  it('are shown by the operator or by kube-state-metrics', async () => {
    const names = new Set(rules.flatMap(({ expr }) => expr.match(/\b(appstead|workqueue|leader_election)_\w+/g) ?? []))
    expect(names.size).toBeGreaterThan(6)
    expect(await withoutData([...names])).toEqual([])
  })
})

/** The commands of a runbook, and those that the alert itself names, each as it is to be typed. */
function commandsOf({ alert, annotations }: Rule): readonly string[] {
  const page = readFileSync(new URL(`../../docs/runbooks/${alert}.md`, monitoring), 'utf8')
  const named = annotations.description.slice(annotations.description.indexOf('kubectl '))
  const filled = named.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_all, label) =>
    label === 'namespace' ? '$PROJECT' : '$NAME',
  )
  return [filled, ...[...page.matchAll(/^ {4}(kubectl .*)$/gm)].map(([, command = '']) => command)]
}

describe.each(rules.map((rule) => [rule.alert, rule] as const))('the commands of %s', (_alert, rule) => {
  it('work', async () => {
    const { namespace: PROJECT, instance: NAME } = project
    const path = [dirname(cluster.cluster.kubectl), ...searchPath].join(delimiter)
    const env = { PATH: path, KUBECONFIG: cluster.cluster.kubeconfig, PROJECT, NAME }
    for (const command of commandsOf(rule)) {
      const isChange = /^kubectl (annotate|delete|patch) /.test(command)
      // `grep` finds nothing where nothing is wrong.
      const harmless = isChange ? `${command} --dry-run=server` : command.replace(/ \| grep .*$/, '')
      const { status, stderr } = await tryRun('sh', ['-ec', harmless], { env })
      expect([command, status, stderr.replace(/^No resources found.*\n/, '')]).toEqual([command, 0, ''])
    }
  })
})

// The last: it ends the operator.
describe('an operator that is gone', () => {
  it('is told', async () => {
    shown = ['running']
    expect(await operator.stop()).toBe(0)
    await prometheus.untilJudged()
    expect((await prometheus.alerts()).map(({ labels, state }) => [labels['alertname'], state])).toEqual([
      ['AppsteadOperatorDown', 'firing'],
    ])
  })
})
