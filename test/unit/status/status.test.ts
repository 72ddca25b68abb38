import { describe, expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import { appInstanceKind } from '../../../operator/api/appInstance.ts'
import { reasons } from '../../../operator/api/conditions.ts'
import { report } from '../../../operator/controllers/appInstance/report.ts'
import { conditionOf } from '../../../operator/status/conditions.ts'
import { transitionsOf } from '../../../operator/status/events.ts'
import { phaseOf } from '../../../operator/status/phase.ts'
import { objectionsTo, phaseTable } from '../../support/phaseTable.ts'
import { now } from '../../render/world.ts'
import { after, situations, statusOf } from './situations.ts'

jest.setTimeout(120_000)

describe('the status of an instance, in every situation,', () => {
  it('is one row of the table: conditions, phase, and what kstatus says', () => {
    const phases = new Set<string>()
    fc.assert(
      fc.property(situations, (each) => {
        const status = statusOf(each)
        phases.add(status.phase ?? '')
        expect(objectionsTo({ ...each.seen.instance, status })).toEqual([])
      }),
      // Some phases are one situation in a hundred.
      { numRuns: 3000 },
    )
    // What is removed is not reported by this function.
    expect(new Set([...phases, 'Deleting'])).toEqual(new Set(Object.keys(phaseTable)))
  })

  it('has the conditions that are always there', () => {
    fc.assert(
      fc.property(situations, (each) => {
        const status = statusOf(each)
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

  it('ends a message that ends with a command so that it can be copied', () => {
    fc.assert(
      fc.property(situations, (each) => {
        for (const { message } of statusOf(each).conditions ?? []) expect(message).not.toMatch(/see kubectl [^;]*\.$/)
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
