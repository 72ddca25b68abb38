/**
 * Which operation is allowed when: the one table. The policies of the API server (charts/policies.ts), status.blocked and
 * the page in REFERENCE.md are made from it.
 */

/** The states in which not everything is allowed; in every other one all is. */
export const states = {
  Errored: 'Errored',
  Suspended: 'Suspended',
  Deleting: 'Deleting',
  Creating: 'Pending, Creating',
} as const

export type State = keyof typeof states

/** Everything but `no` is allowed, or done by itself when its time has come. */
export type Verdict =
  | 'yes'
  | 'no'
  | 'yes, pending'
  | 'yes, unless protected'
  | 'already'
  | 'queued'
  | 'if there are pods'
  | 'skip'
  | 'skip + record'

/** One way to do an operation, by what the API server sees of it. */
export type Way =
  /** A change of the AppInstance's spec, also through its scale subresource. */
  | { readonly by: 'spec' }
  /** A new object that names the instance; users make it, or the operator alone. */
  | { readonly by: 'create'; readonly kind: string; readonly onlyOperator?: true; readonly due?: string }
  /** A connection to a pod of the instance: a subresource of pods. */
  | { readonly by: 'connect'; readonly subresource: 'exec' | 'attach' | 'portforward' }
  /** What only the operator or our own tools can refuse. */
  | { readonly by: 'operator' | 'tools'; readonly what: string; readonly due?: string }

export interface Operation {
  /** The row's name, for people. */
  readonly title: string
  readonly verdicts: Readonly<Record<State, Verdict>>
  /** None: it changes nothing that could be refused. */
  readonly ways: readonly Way[]
}

const row = (Errored: Verdict, Suspended: Verdict, Deleting: Verdict, Creating: Verdict): Operation['verdicts'] => ({
  Errored,
  Suspended,
  Deleting,
  Creating,
})

/** What a way waits for that is not there yet: the subject of the issue that brings it. */
const due = {
  routes: 'routes and certificates',
  builds: 'builds',
  data: 'backups, imports and databases',
  schedules: 'schedules',
} as const

/** Every operation, in the order in which they are listed. */
export const operations = {
  ChangeConfiguration: {
    title: 'change deployable configuration, services, stack revision',
    verdicts: row('no', 'yes, pending', 'no', 'yes'),
    ways: [{ by: 'spec' }],
  },
  ChangeRoutes: {
    title: 'change routes, ports, auth',
    verdicts: row('no', 'yes, pending', 'no', 'yes'),
    ways: [{ by: 'operator', what: 'spec.routes, spec.ports', due: due.routes }],
  },
  NewWork: {
    title: 'new AppBuild, AppRelease, AppTask',
    verdicts: row('no', 'no', 'no', 'queued'),
    ways: [
      { by: 'create', kind: 'AppRelease', onlyOperator: true },
      { by: 'create', kind: 'AppTask' },
      { by: 'create', kind: 'AppBuild', due: due.builds },
    ],
  },
  DataByHand: {
    title: 'manual backup, import, database change in a container',
    verdicts: row('no', 'no', 'no', 'no'),
    ways: [
      { by: 'create', kind: 'AppBackup', due: due.data },
      { by: 'create', kind: 'AppImport', due: due.data },
      { by: 'operator', what: 'a database change in a container', due: due.data },
    ],
  },
  ScheduledRun: {
    title: 'scheduled backup, cron run',
    verdicts: row('skip + record', 'skip + record', 'skip', 'skip'),
    ways: [{ by: 'operator', what: 'runs of a schedule', due: due.schedules }],
  },
  CertificateRenewal: {
    title: 'certificate renewal',
    verdicts: row('skip + record', 'yes', 'skip', 'skip'),
    ways: [{ by: 'operator', what: 'renewals', due: due.routes }],
  },
  Shell: {
    title: 'shell, live logs, pod queries',
    verdicts: row('no', 'no', 'no', 'if there are pods'),
    ways: [
      { by: 'connect', subresource: 'exec' },
      { by: 'connect', subresource: 'attach' },
      { by: 'connect', subresource: 'portforward' },
      { by: 'tools', what: 'live logs, pod queries' },
    ],
  },
  ReadRecords: {
    title: 'history, task logs, evidence, status, diff, render',
    verdicts: row('yes', 'yes', 'yes', 'yes'),
    ways: [],
  },
  ChangeMetadata: {
    title: 'labels, annotations, retry, deletionPolicy, deletionProtection, deadlines',
    verdicts: row('yes', 'yes', 'yes', 'yes'),
    ways: [],
  },
  Delete: {
    title: 'delete',
    verdicts: row('yes, unless protected', 'yes, unless protected', 'already', 'yes, unless protected'),
    ways: [],
  },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof operations

/** The operations by name, each as any of them. */
export const operationList = Object.entries(operations) as readonly (readonly [OperationName, Operation])[]

/** Fields of an AppInstance's spec that may be changed in every state: they say how it is let go, not what runs. */
export const alwaysEditable: readonly string[] = [
  'deletionPolicy',
  'deletionProtection',
  'creationDeadlineSeconds',
  'deletionDeadlineSeconds',
]

interface Named {
  readonly kind: string
}

/** Whether an operation can be done in that way, where these are the kinds there are. */
export function isThere(way: Way, kinds: readonly Named[]): boolean {
  if ('due' in way && way.due !== undefined) return false
  return way.by !== 'create' || kinds.some(({ kind }) => kind === way.kind)
}

/** Names of the operations that somebody could try and may not in that state. */
export function refusedIn(state: State, kinds: readonly Named[]): readonly OperationName[] {
  return operationList
    .filter(([, { verdicts, ways }]) => verdicts[state] === 'no' && ways.some((way) => isThere(way, kinds)))
    .map(([name]) => name)
}
