/** Grafana's boards as plain JSON: one of the fleet, one of an instance. Written by integrations/generate.ts. */

interface Panel {
  readonly title: string
  readonly description?: string
  readonly type: 'timeseries' | 'stat' | 'table'
  readonly unit?: string
  /** Of 24 columns. */
  readonly width: number
  /** What each series is called, as Grafana's legend says it; expressions by it. */
  readonly targets: Readonly<Record<string, string>>
}

interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

interface Variable {
  readonly name: string
  readonly query: string
  readonly hasAll: boolean
}

interface Board {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly variables: readonly Variable[]
  readonly rows: readonly Row[]
}

const inFleet = 'namespace=~"$namespace"'
/** Other operators have metrics of these names: those of ours come from a process that may hold our Lease. */
const ours = (expression: string): string =>
  `${expression} and on (job, instance) leader_election_master_status{name="appstead"}`
const slowest = (histogram: string): string =>
  `histogram_quantile(0.99, sum by (controller, le) (${ours(`rate(${histogram}_bucket[$__rate_interval])`)}))`

const instances: Row = {
  title: 'Instances',
  panels: [
    {
      title: 'By phase',
      type: 'timeseries',
      width: 12,
      targets: { '{{phase}}': `count by (phase) (appstead_appinstance_status_phase{${inFleet}} == 1)` },
    },
    {
      title: 'Why not ready',
      description: 'Reasons of the condition Ready, from the closed list in crds/REFERENCE.md.',
      type: 'timeseries',
      width: 12,
      targets: {
        '{{reason}}': `count by (reason) (appstead_appinstance_condition_info{${inFleet}, condition="Ready", reason!="AllReady"})`,
      },
    },
    {
      title: 'Errored',
      description: 'Creation or removal cannot be finished; GitOps tools show a removal of this kind as under way.',
      type: 'table',
      width: 12,
      targets: { errored: `appstead_appinstance_error_info{${inFleet}}` },
    },
    {
      title: 'Serve nobody',
      type: 'table',
      width: 12,
      targets: {
        down: `appstead_appinstance_status_condition{${inFleet}, condition="Available", status="False"} == 1 unless on (namespace, appinstance) appstead_appinstance_status_condition{condition="Suspended", status="True"} == 1`,
      },
    },
    {
      title: 'Replicas',
      type: 'timeseries',
      width: 12,
      targets: {
        desired: `sum(appstead_appinstance_replicas_desired{${inFleet}})`,
        ready: `sum(appstead_appinstance_replicas_ready{${inFleet}})`,
        failed: `sum(appstead_appinstance_replicas_failed{${inFleet}})`,
      },
    },
    {
      title: 'Changes the operator has not looked at',
      type: 'timeseries',
      width: 12,
      targets: {
        instances: `sum(appstead_appinstance_generation{${inFleet}} > bool appstead_appinstance_observed_generation)`,
      },
    },
  ],
}

const operator: Row = {
  title: 'Operator',
  panels: [
    {
      title: 'Leads',
      type: 'stat',
      width: 6,
      targets: { leaders: 'sum(leader_election_master_status{name="appstead"})' },
    },
    {
      title: 'Types not listed completely',
      type: 'stat',
      width: 6,
      targets: { types: 'count(appstead_watch_synced) - sum(appstead_watch_synced)' },
    },
    {
      title: 'Contested objects',
      description: 'Objects that others and the operator change back and forth.',
      type: 'stat',
      width: 6,
      targets: { objects: 'sum(appstead_contested_objects)' },
    },
    {
      title: 'Objects held back',
      description: 'Objects that change themselves and are looked at more seldom.',
      type: 'stat',
      width: 6,
      targets: { objects: 'sum(appstead_throttled_keys)' },
    },
    {
      title: 'Reconciles',
      type: 'timeseries',
      unit: 'ops',
      width: 12,
      targets: {
        '{{controller}} {{result}}': `sum by (controller, result) (${ours('rate(controller_runtime_reconcile_total[$__rate_interval])')})`,
      },
    },
    {
      title: 'A reconcile lasts (99 of 100)',
      type: 'timeseries',
      unit: 's',
      width: 12,
      targets: { '{{controller}}': slowest('controller_runtime_reconcile_time_seconds') },
    },
    {
      title: 'A change waits (99 of 100)',
      type: 'timeseries',
      unit: 's',
      width: 12,
      targets: { '{{controller}}': slowest('workqueue_queue_duration_seconds') },
    },
    {
      title: 'Changes that wait',
      type: 'timeseries',
      width: 12,
      targets: { '{{controller}}': `sum by (controller) (${ours('workqueue_depth')})` },
    },
    {
      title: 'Requests to the API server',
      type: 'timeseries',
      unit: 'reqps',
      width: 12,
      targets: {
        '{{method}} {{code}}': `sum by (method, code) (${ours('rate(rest_client_requests_total[$__rate_interval])')})`,
      },
    },
    {
      title: 'Memory',
      type: 'timeseries',
      unit: 'bytes',
      width: 12,
      targets: { '{{instance}}': ours('process_resident_memory_bytes') },
    },
  ],
}

const one = 'namespace="$namespace", appinstance="$appinstance"'

const single: Row = {
  title: '$namespace/$appinstance',
  panels: [
    {
      title: 'Phase',
      type: 'stat',
      width: 6,
      targets: { '{{phase}}': `appstead_appinstance_status_phase{${one}} == 1` },
    },
    {
      title: 'What runs',
      type: 'table',
      width: 18,
      targets: { info: `appstead_appinstance_info{${one}}` },
    },
    {
      title: 'Conditions that are True',
      type: 'timeseries',
      width: 12,
      targets: { '{{condition}}': `appstead_appinstance_status_condition{${one}, status="True"}` },
    },
    {
      title: 'Reasons',
      description: 'Each is told in crds/REFERENCE.md; the message is in kubectl describe appinstance.',
      type: 'table',
      width: 12,
      targets: { reasons: `appstead_appinstance_condition_info{${one}}` },
    },
    {
      title: 'Replicas',
      type: 'timeseries',
      width: 12,
      targets: {
        '{{service}} desired': `appstead_appinstance_replicas_desired{${one}}`,
        '{{service}} ready': `appstead_appinstance_replicas_ready{${one}}`,
      },
    },
    {
      title: 'Changes the operator has not looked at',
      type: 'timeseries',
      width: 12,
      targets: {
        changes: `appstead_appinstance_generation{${one}} - appstead_appinstance_observed_generation{${one}}`,
      },
    },
  ],
}

const namespaces = 'label_values(appstead_appinstance_info, namespace)'

/** The boards, by the name of their file. */
export const boards: Readonly<Record<string, Board>> = {
  fleet: {
    uid: 'appstead-fleet',
    title: 'Appstead: fleet',
    description: 'All AppInstances, and what the operator does.',
    variables: [{ name: 'namespace', query: namespaces, hasAll: true }],
    rows: [instances, operator],
  },
  instance: {
    uid: 'appstead-instance',
    title: 'Appstead: instance',
    description: 'One AppInstance.',
    variables: [
      { name: 'namespace', query: namespaces, hasAll: false },
      {
        name: 'appinstance',
        query: 'label_values(appstead_appinstance_info{namespace="$namespace"}, appinstance)',
        hasAll: false,
      },
    ],
    rows: [single],
  },
}

/** A board as Grafana imports it. */
export function printBoard({ uid, title, description, variables, rows }: Board): string {
  const panels: object[] = []
  let y = 0
  for (const row of rows) {
    panels.push({ id: panels.length + 1, type: 'row', title: row.title, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] })
    y += 1
    let x = 0
    for (const panel of row.panels) {
      panels.push({ id: panels.length + 1, ...panelOf(panel), gridPos: { x, y, w: panel.width, h: heightOf(panel) } })
      x += panel.width
      if (x >= 24) {
        x = 0
        y += heightOf(panel)
      }
    }
  }
  const board = {
    uid,
    title,
    description,
    tags: ['appstead'],
    schemaVersion: 39,
    editable: true,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [{ name: 'datasource', type: 'datasource', query: 'prometheus' }, ...variables.map(variableOf)],
    },
    panels,
  }
  return `${JSON.stringify(board, undefined, 2)}\n`
}

const datasource = { type: 'prometheus', uid: '${datasource}' }
const letters = 'ABCDEFGH'

const heightOf = ({ type }: Panel): number => (type === 'stat' ? 4 : 8)

function panelOf({ title, description, type, unit = 'short', targets }: Panel): object {
  return {
    type,
    title,
    ...(description !== undefined && { description }),
    datasource,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    ...(type === 'stat' && { options: { textMode: title === 'Phase' ? 'name' : 'auto' } }),
    targets: Object.entries(targets).map(([legendFormat, expr], index) => ({
      refId: letters[index],
      datasource,
      expr,
      legendFormat,
      ...(type === 'table' ? { format: 'table', instant: true } : {}),
    })),
  }
}

function variableOf({ name, query, hasAll }: Variable): object {
  const all = { includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' } }
  return { name, type: 'query', datasource, query, refresh: 2, sort: 1, ...(hasAll && all) }
}
