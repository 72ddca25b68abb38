import { describe, expect, it } from '@jest/globals'
import { runningServices } from '../../../operator/render/scaling.ts'

type Input = Parameters<typeof runningServices>[0]

const web = { name: 'web', type: 'Web', main: true, ports: [{ port: 8080 }] }
const jobs = { name: 'jobs', type: 'Worker' }

interface Numbers {
  readonly web: number
  readonly jobs: number
}

/** In: numbers of the last release, of what is declared, and of what runs; how many pods there may be. */
function numbersOf(released: Numbers, declared: Numbers, live: Numbers, pods: number): unknown {
  const service = (name: keyof Numbers): object => ({ name, replicas: released[name], resources: {} })
  const input = {
    instance: {
      metadata: { name: 'shop-dev' },
      spec: {
        replicas: declared.web,
        services: [{ name: 'jobs', replicas: declared.jobs }],
        deploy: { replicaChanges: 'Immediate' },
      },
    },
    env: { spec: { type: 'dev', defaults: { quota: { pods } } } },
    release: { spec: { services: [service('web'), service('jobs')] } },
    stack: [web, jobs],
    bounds: new Map(),
    deployments: new Map(Object.entries(live).map(([name, replicas]) => [name, { replicas, isScaledByUs: true }])),
  } as unknown as Input
  return Object.fromEntries(runningServices(input).map(({ name, replicas }) => [name, replicas]))
}

const scaled = (name: string, min: number, max: number) => ({ name, autoscaling: { min, max, cpu: 70 } })

/** What runs with 3 replicas of a service that scales itself in the release, where 20 are over the quota. */
function runsWith(bounds: ReadonlyMap<string, object | undefined>): unknown {
  const input = {
    instance: {
      metadata: { name: 'shop-dev' },
      spec: { services: [{ name: 'jobs', replicas: 20 }], deploy: { replicaChanges: 'Immediate' } },
    },
    env: { spec: { type: 'dev', defaults: { quota: { pods: 8 } } } },
    release: { spec: { services: [{ ...scaled('jobs', 5, 7), resources: {} }] } },
    stack: [web, jobs],
    deployments: new Map([['jobs', { replicas: 3, isScaledByUs: true }]]),
    bounds,
  } as unknown as Input
  return runningServices(input)[0]
}

describe('numbers that take effect at once', () => {
  it('count as far as the quota of the environment lets them', () => {
    expect(numbersOf({ web: 3, jobs: 1 }, { web: 8, jobs: 1 }, { web: 3, jobs: 1 }, 10)).toEqual({ web: 8, jobs: 1 })
  })

  it('stay where the quota is lowered below what runs', () => {
    expect(numbersOf({ web: 3, jobs: 1 }, { web: 8, jobs: 1 }, { web: 8, jobs: 1 }, 5)).toEqual({ web: 8, jobs: 1 })
  })

  it('leave every service as it runs where one asks for too much, whatever the release has', () => {
    expect(numbersOf({ web: 10, jobs: 1 }, { web: 4, jobs: 6 }, { web: 4, jobs: 1 }, 8)).toEqual({ web: 4, jobs: 1 })
  })

  it('stay where the release scales itself and what runs was given a number since', () => {
    expect(runsWith(new Map())).toMatchObject({ replicas: 3, asked: 3 })
    expect(runsWith(new Map())).not.toHaveProperty('autoscaling')
    // Somebody changed its bounds: it is not taken away.
    expect(runsWith(new Map([['jobs', undefined]]))).toMatchObject({ autoscaling: { min: 5, max: 7, cpu: 70 } })
  })

  it('and bounds of autoscaling, stay as they run where the quota has no room for what is declared', () => {
    const runs = (declared: object): unknown => {
      const input = {
        instance: {
          metadata: { name: 'shop-dev' },
          spec: { services: [declared], deploy: { replicaChanges: 'Immediate' } },
        },
        env: { spec: { type: 'dev', defaults: { quota: { pods: 8 } } } },
        release: {
          spec: {
            services: [
              { name: 'web', replicas: 1, resources: {} },
              { ...scaled('jobs', 1, 2), resources: {} },
            ],
          },
        },
        stack: [web, jobs],
        // Its autoscaler was given more room since the release, and has used it.
        deployments: new Map([['jobs', { replicas: 6, isScaledByUs: false }]]),
        bounds: new Map([['jobs', { min: 2, max: 6, cpu: 70 }]]),
      } as unknown as Input
      return runningServices(input).find(({ name }) => name === 'jobs')
    }
    expect(runs(scaled('jobs', 2, 20))).toMatchObject({ autoscaling: { min: 2, max: 6, cpu: 70 }, asked: undefined })
    expect(runs(scaled('jobs', 2, 7))).toMatchObject({ autoscaling: { min: 2, max: 7, cpu: 70 } })
    expect(runs({ name: 'jobs', replicas: 20 })).toMatchObject({ autoscaling: { min: 2, max: 6, cpu: 70 } })
  })
})
