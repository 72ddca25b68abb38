import { describe, expect, it } from '@jest/globals'
import type { AppInstance, AppInstancePhase } from '../../../operator/api/appInstance.ts'
import { instancesStatus } from '../../../operator/status/app.ts'

const make = (name: string, phase?: AppInstancePhase, reason = 'AllReady'): AppInstance => {
  const ready = { type: 'Ready', status: phase === 'Running' ? 'True' : 'False', reason }
  return {
    metadata: { name, namespace: 'team' },
    spec: { app: 'shop', env: 'dev' },
    status: phase && { phase, conditions: [ready] },
  } as unknown as AppInstance
}

const many = (count: number, phase: AppInstancePhase, reason: string): AppInstance[] =>
  Array.from({ length: count }, (_, index) =>
    make(`shop-${phase.toLowerCase()}-${String(index).padStart(2, '0')}`, phase, reason),
  )

describe('what an App says of its instances', () => {
  it('counts those in each phase, in the order of a life; one that was not seen yet is in none', () => {
    const seen = [make('shop-b', 'Running'), make('shop-d', 'Pending', 'EnvNotFound'), make('shop-c', 'Running')]
    expect(instancesStatus([make('shop-a'), ...seen])).toMatchObject({
      total: 4,
      ready: 2,
      summary: '2/4',
      phases: [
        { phase: 'Pending', count: 1 },
        { phase: 'Running', count: 2 },
      ],
    })
    expect(instancesStatus([])).toEqual({ total: 0, ready: 0, summary: '0/0' })
  })

  it('names those that need somebody, the worst first, then by name, and never more than 20', () => {
    const degraded = many(15, 'Degraded', 'CrashLoop')
    const errored = many(8, 'Errored', 'Conflict')
    const fine = [make('shop-fine', 'Running'), make('shop-new', 'Deploying', 'RollingOut')]
    const { attention = [] } = instancesStatus([...fine, ...degraded, ...errored].toReversed())
    expect(attention).toHaveLength(20)
    expect(attention.map(({ name }) => name)).toEqual(
      [...errored, ...degraded].slice(0, 20).map(({ metadata }) => metadata.name),
    )
    expect(attention[0]).toEqual({ name: 'shop-errored-00', env: 'dev', phase: 'Errored', reason: 'Conflict' })
  })
})
