import { describe, expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import { appInstanceKind } from '../../../operator/api/appInstance.ts'
import { reasons } from '../../../operator/api/conditions.ts'
import { report } from '../../../operator/controllers/appInstance/report.ts'
import { conditionOf } from '../../../operator/status/conditions.ts'
import { transitionsOf } from '../../../operator/status/events.ts'
import { phaseOf } from '../../../operator/status/phase.ts'
import { now } from '../../render/world.ts'
import { after, situations, statusOf } from './situations.ts'
import type { KstatusResult } from './tools.ts'
import { fluxObjectionsTo, kstatusOf } from './tools.ts'

jest.setTimeout(120_000)

type Verdict = 'True' | 'False' | 'Unknown' | 'any'
interface Row {
  readonly Accepted: Verdict
  readonly Ready: Verdict
  readonly Available: Verdict
  readonly besides: readonly string[]
  readonly kstatus: KstatusResult
}

/** The table of design/api.md, Phase, for the phases there are; a reference that is missing later leaves what serves. */
const table: Readonly<Record<string, readonly Row[]>> = {
  Pending: [{ Accepted: 'True', Ready: 'Unknown', Available: 'any', besides: ['Reconciling'], kstatus: 'InProgress' }],
  Creating: [{ Accepted: 'True', Ready: 'Unknown', Available: 'any', besides: ['Reconciling'], kstatus: 'InProgress' }],
  Deploying: [
    { Accepted: 'True', Ready: 'Unknown', Available: 'any', besides: ['Reconciling'], kstatus: 'InProgress' },
  ],
  Running: [{ Accepted: 'True', Ready: 'True', Available: 'any', besides: [], kstatus: 'Current' }],
  Degraded: [
    { Accepted: 'True', Ready: 'False', Available: 'True', besides: ['Reconciling'], kstatus: 'InProgress' },
    { Accepted: 'True', Ready: 'False', Available: 'True', besides: ['Stalled'], kstatus: 'Failed' },
  ],
  Down: [
    { Accepted: 'True', Ready: 'False', Available: 'False', besides: ['Reconciling'], kstatus: 'InProgress' },
    { Accepted: 'True', Ready: 'False', Available: 'False', besides: ['Stalled'], kstatus: 'Failed' },
  ],
  Invalid: [{ Accepted: 'False', Ready: 'False', Available: 'any', besides: ['Stalled'], kstatus: 'Failed' }],
  Suspended: [{ Accepted: 'True', Ready: 'True', Available: 'False', besides: ['Suspended'], kstatus: 'Current' }],
  Errored: [
    {
      Accepted: 'True',
      Ready: 'False',
      Available: 'any',
      besides: ['Stalled', 'OperationsBlocked'],
      kstatus: 'Failed',
    },
  ],
}

function isRow(row: Row, status: ReturnType<typeof statusOf>): boolean {
  const is = (type: 'Accepted' | 'Ready' | 'Available'): boolean =>
    row[type] === 'any' || conditionOf(status.conditions, type)?.status === row[type]
  const always = new Set(['Accepted', 'Ready', 'Available', 'Deployed', 'ZeroDowntime', 'ChangesPending'])
  // An instance that is suspended may be refused, or wait for something, all the same.
  if (status.phase !== 'Suspended') always.add('Suspended')
  const besides = (status.conditions ?? []).map(({ type }) => type).filter((type) => !always.has(type))
  return is('Accepted') && is('Ready') && is('Available') && besides.join() === row.besides.join()
}

describe('the status of an instance, in every situation,', () => {
  it('is one row of the table: conditions, phase, and what kstatus says', () => {
    const phases = new Set<string>()
    fc.assert(
      fc.property(situations, (each) => {
        const status = statusOf(each)
        const rows = table[status.phase ?? ''] ?? []
        phases.add(status.phase ?? '')
        const row = rows.find((candidate) => isRow(candidate, status))
        expect([status.phase, status.conditions?.map(({ type, status: is }) => `${type}=${is}`), row]).not.toContain(
          undefined,
        )
        expect(kstatusOf({ ...each.seen.instance, status })).toBe(row?.kstatus)
      }),
      // Some phases are one situation in a hundred.
      { numRuns: 3000 },
    )
    expect([...phases].toSorted()).toEqual(Object.keys(table).toSorted())
  })

  it('keeps the conventions of conditions', () => {
    fc.assert(
      fc.property(situations, (each) => {
        const status = statusOf(each)
        expect(fluxObjectionsTo({ ...each.seen.instance, status })).toEqual([])
        for (const type of ['Accepted', 'Ready', 'Available', 'Deployed'] as const)
          expect(conditionOf(status.conditions, type)).toBeDefined()
      }),
    )
  })

  it('is what the schema of the CRD takes, and comes back from JSON as it was', () => {
    fc.assert(
      fc.property(situations, (each) => {
        const status = statusOf(each)
        expect(appInstanceKind.status!.safeParse(status).error?.issues).toBeUndefined()
        expect(JSON.parse(new TextDecoder().decode(new TextEncoder().encode(JSON.stringify(status))))).toEqual(status)
        expect(JSON.stringify(status)).not.toMatch(/\\ud[89a-f]/)
      }),
    )
  })

  it('does not change with time alone, and tells nothing twice', () => {
    fc.assert(
      fc.property(situations, (each) => {
        const first = statusOf(each)
        const later = report(after(each, first).seen, each.found, new Date(now.getTime() + 86_400_000))
        expect(later.status).toEqual(first)
        expect(later.events).toEqual([])
      }),
    )
  })

  it('moves lastTransitionTime exactly where a status changes', () => {
    fc.assert(
      fc.property(situations, situations, (one, other) => {
        const before = statusOf(one)
        const status = statusOf(after(other, before), new Date('2027-01-01T00:00:00Z'))
        for (const condition of status.conditions ?? []) {
          const was = before.conditions?.find(({ type }) => type === condition.type)
          const isSame = was?.status === condition.status
          expect(condition.lastTransitionTime).toBe(isSame ? was.lastTransitionTime : '2027-01-01T00:00:00Z')
        }
        expect(transitionsOf(status.conditions, status.conditions ?? [])).toEqual([])
      }),
    )
  })

  it('names only reasons of the list, and settles only when Ready', () => {
    fc.assert(
      fc.property(situations, (each) => {
        const { status, outcome } = report(each.seen, each.found, now)
        for (const { reason } of status?.conditions ?? []) expect(Object.keys(reasons)).toContain(reason)
        const isReady = conditionOf(status?.conditions, 'Ready')?.status === 'True'
        expect(!isReady || outcome.kind === 'settled').toBe(true)
      }),
    )
  })
})

it('an instance that is being removed is Deleting, whatever else holds', () => {
  const verdict = { status: 'True', reason: 'Terminating', message: '' } as const
  expect(phaseOf({ Accepted: { ...verdict, reason: 'Accepted' }, Reconciling: verdict })).toBe('Deleting')
})
