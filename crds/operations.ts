import { kinds } from '../operator/api/kinds.ts'
import { isThere, operationList, states, type Operation, type State, type Way } from '../operator/api/operations.ts'

/** The page of REFERENCE.md on which operation is allowed when, from the one table of operations. */

const columns = Object.entries(states) as readonly (readonly [State, string])[]

interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** The tables of the page. */
export interface OperationTables {
  /** What is allowed when. */
  readonly verdicts: Table
  /** Who refuses what is not allowed. */
  readonly enforced: Table
  /** What is not there yet, and what brings it. */
  readonly due: Table
}

const ways = operationList.flatMap(([, operation]) => operation.ways.map((way: Way) => ({ operation, way })))

/** What REFERENCE.md says of operations. */
export function operationTables(): OperationTables {
  return {
    verdicts: {
      head: ['Operation', 'Name in status.blocked', ...columns.map(([, title]) => title)],
      rows: operationList.map(([name, { title, verdicts }]) => [
        title,
        name,
        ...columns.map(([state]) => verdicts[state]),
      ]),
    },
    enforced: {
      head: ['Operation', 'While Errored', 'In the other states'],
      rows: ways
        .filter(({ way }) => isThere(way, kinds))
        .map(({ operation, way }) => [operation.title, whoWhileErrored(way), whoElse(operation, way)]),
    },
    due: {
      head: ['Operation', 'What', 'Comes with'],
      rows: ways
        .filter(({ way }) => !isThere(way, kinds))
        .map(({ operation, way }) => [operation.title, textOf(way), issueOf(way)]),
    },
  }
}

function issueOf(way: Way): string {
  return 'due' in way && way.due !== undefined ? way.due : 'Instance'
}

function textOf(way: Way): string {
  switch (way.by) {
    case 'spec':
      return 'spec of the AppInstance, its scale subresource'
    case 'create':
      return `new ${way.kind}`
    case 'connect':
      return `pods/${way.subresource}`
    case 'operator':
    case 'tools':
      return way.what
  }
}

function whoWhileErrored(way: Way): string {
  const what = textOf(way)
  switch (way.by) {
    case 'spec':
      return `the API server: ${what}; the operator stores what comes through and does not act on it`
    case 'create':
      return way.onlyOperator
        ? `the API server, in every state: ${what} by anybody but the operator`
        : `the API server: ${what}`
    case 'connect':
      return `the API server: ${what} in a namespace labelled appstead.dev/locked`
    case 'operator':
    case 'tools':
      return what
  }
}

function whoElse({ verdicts }: Operation, way: Way): string {
  if (way.by === 'connect') return 'nobody: there are no pods, or they are on their way out'
  if (way.by === 'create' && way.onlyOperator) return 'the API server'
  return Object.values(verdicts).includes('no') ? 'the operator' : 'nobody needs to'
}
