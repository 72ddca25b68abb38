import { describe, expect, it } from '@jest/globals'
import type { AppInstance, AppInstanceStatus } from '../../../operator/api/appInstance.ts'
import type { Reason } from '../../../operator/api/conditions.ts'
import { kinds } from '../../../operator/api/kinds.ts'
import { operationList, refusedIn, type OperationName } from '../../../operator/api/operations.ts'
import { blockedBy } from '../../../operator/status/blocked.ts'
import type { Verdict, Verdicts } from '../../../operator/status/conditions.ts'

const now = new Date('2026-01-02T03:04:05.678Z')
const earlier = '2026-01-01T00:00:00Z'

const is = (status: Verdict['status'], reason: Reason): Verdict => ({ status, reason, message: '' })
const errored: Verdicts = {
  Ready: is('False', 'NamespaceConflict'),
  OperationsBlocked: is('True', 'NamespaceConflict'),
}
const deleting: Verdicts = { Ready: is('Unknown', 'Terminating'), Reconciling: is('True', 'Terminating') }
const running: Verdicts = { Accepted: is('True', 'Accepted'), Ready: is('True', 'AllReady') }
const suspended: Verdicts = { Ready: is('True', 'Suspended'), Suspended: is('True', 'Suspended') }
const creating: Verdicts = { Ready: is('Unknown', 'Creating'), Reconciling: is('True', 'Creating') }

function instance(spec: object = {}, status: Partial<AppInstanceStatus> = {}, metadata: object = {}): AppInstance {
  return { metadata: { name: 'shop-dev', ...metadata }, spec, status } as unknown as AppInstance
}

const namesIn = (of: AppInstance, verdicts: Verdicts, isProtected = false): readonly string[] =>
  (blockedBy(of, verdicts, { now, isProtected }).blocked ?? []).map(({ operation }) => operation)

describe('what may not be done with an instance', () => {
  it.each<[string, Verdicts, readonly OperationName[]]>([
    ['Errored', errored, ['ChangeConfiguration', 'NewWork', 'Shell']],
    ['being deleted', deleting, ['ChangeConfiguration', 'NewWork', 'Shell']],
    ['being created', creating, []],
    ['Running', running, []],
    ['Suspended', suspended, ['NewWork', 'Shell']],
  ])('that is %s is what the table says, of that which somebody could try today', (_name, verdicts, names) => {
    expect(namesIn(instance(), verdicts)).toEqual(names)
  })

  it('says why, and since when, as long as that stays the same', () => {
    const known = { operation: 'Shell', reason: 'NamespaceConflict', since: earlier }
    const other = { operation: 'NewWork', reason: 'Terminating', since: earlier }
    const { blocked } = blockedBy(instance({}, { blocked: [known, other] }), errored, { now, isProtected: false })
    expect(blocked).toEqual([
      { operation: 'ChangeConfiguration', reason: 'NamespaceConflict', since: '2026-01-02T03:04:05Z' },
      { operation: 'NewWork', reason: 'NamespaceConflict', since: '2026-01-02T03:04:05Z' },
      known,
    ])
  })

  it('is its deletion, if it is protected and not on its way', () => {
    expect(namesIn(instance(), running, true)).toEqual(['Delete'])
    expect(namesIn(instance(), errored, true)).toContain('Delete')
    expect(namesIn(instance({}, {}, { deletionTimestamp: earlier }), deleting, true)).not.toContain('Delete')
    expect(blockedBy(instance(), running, { now, isProtected: false })).toEqual({})
  })
})

describe('the table of operations', () => {
  it('refuses nothing that no kind can be asked for', () => {
    expect(refusedIn('Errored', kinds)).not.toContain('DataByHand')
    expect(refusedIn('Errored', [...kinds, { kind: 'AppBackup' }])).not.toContain('DataByHand')
    expect(refusedIn('Errored', [])).not.toContain('NewWork')
  })

  it('has a title of its own for each operation', () => {
    expect(new Set(operationList.map(([, { title }]) => title)).size).toBe(operationList.length)
  })
})
