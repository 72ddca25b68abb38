import { describe, expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import type { App } from '../../../operator/api/app.ts'
import type { AppEnv } from '../../../operator/api/appEnv.ts'
import type { AppInstance } from '../../../operator/api/appInstance.ts'
import { appReleaseKind } from '../../../operator/api/appRelease.ts'
import type { AppStack } from '../../../operator/api/appStack.ts'
import { appStackKind } from '../../../operator/api/appStack.ts'
import type { AppStackRevision } from '../../../operator/api/appStackRevision.ts'
import { canonical } from '../../../operator/api/canonical.ts'
import { cpuQuantity, memoryQuantity } from '../../../operator/api/quantity.ts'
import { dnsLabel, dnsSubdomain } from '../../../operator/api/schema.ts'
import { renderInstance } from '../../../operator/render/appInstance.ts'
import {
  countedRevisionName,
  filesName,
  generatedSecretName,
  podVolumeName,
  releaseName,
  volumeClaimName,
} from '../../../operator/render/names.ts'
import type { Plan } from '../../../operator/render/plan.ts'
import { canonicalQuantity } from '../../../operator/render/quantity.ts'
import { changesBetween } from '../../../operator/render/changes.ts'
import { makeRelease } from '../../../operator/render/release.ts'
import type { Input } from '../../../operator/render/resolve/input.ts'
import { recordedReferences } from '../../../operator/render/resolve/references.ts'
import { resolve } from '../../../operator/render/resolve/resolve.ts'
import { latestRevision, newestFirst, nextRevision } from '../../../operator/render/revision.ts'
import type { RunningService } from '../../../operator/api/service/resolvedService.ts'
import { runningServices } from '../../../operator/render/scaling.ts'
import { inputs, releaseOf } from './generated.ts'

jest.setTimeout(120_000)

const service = fc.stringMatching(/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/)
const variable = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/),
  fc.constantFrom('_', '__', 'A_B', 'a_b', 'A__B'),
)

describe('names', () => {
  it('of generated secrets and of files are DNS labels of at most 63 characters', () => {
    fc.assert(
      fc.property(service, variable, fc.json(), (name, secret, files) => {
        for (const made of [generatedSecretName(name, secret), filesName(name, files)]) {
          expect(made).toMatch(dnsLabel)
          expect(made.length).toBeLessThanOrEqual(63)
        }
      }),
    )
  })

  it('of generated secrets differ whenever service or variable differ', () => {
    const pair = fc.tuple(service, variable)
    fc.assert(
      fc.property(fc.uniqueArray(pair, { maxLength: 50, selector: String }), (pairs) => {
        expect(new Set(pairs.map((each) => generatedSecretName(...each))).size).toBe(pairs.length)
      }),
    )
  })

  it('of claims and their volumes in a pod are DNS labels of at most 63 characters', () => {
    fc.assert(
      fc.property(service, service, (name, volume) => {
        for (const made of [volumeClaimName(name, volume), podVolumeName(volume)]) {
          expect(made).toMatch(dnsLabel)
          expect(made.length).toBeLessThanOrEqual(63)
        }
      }),
    )
  })

  it('of releases and revisions are DNS subdomains of at most 253 characters, one for each number', () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    const number = fc.integer({ min: 1, max: 2_147_483_647 })
    fc.assert(
      fc.property(label, fc.uuid(), number, fc.json(), (name, uid, count, content) => {
        for (const made of [releaseName(name, uid, count), countedRevisionName(`a-${name}`, count, content)]) {
          expect(made).toMatch(dnsSubdomain)
          expect(made.length).toBeLessThanOrEqual(253)
          expect(made).toContain(`-r${count}`)
        }
      }),
    )
  })
})

describe('a release', () => {
  it('of the same input is the same, changes nothing of the input, and is what the CRD takes', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const before = canonical(input)
        const release = releaseOf(input)
        expect(canonical(releaseOf(input))).toBe(canonical(release))
        expect(canonical(input)).toBe(before)
        if (resolve(input).objections.length > 0) return
        expect(appReleaseKind.spec.safeParse(release.spec).error?.issues).toBeUndefined()
        expect(canonical(appReleaseKind.spec.parse(release.spec))).toBe(canonical(release.spec))
      }),
    )
  })

  it('has nothing pending against what it was made of', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const wanted = { services: resolve(input).services, stackRevision: 'a-r1-aaaaaa' }
        expect(changesBetween(releaseOf(input).spec, wanted)).toEqual([])
      }),
    )
  })

  it('renders objects of different names only, all in the namespace of the instance', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const objects = stagesOf(input).flatMap((stage) => stage.objects.map(({ object }) => object))
        const ids = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)
        expect(new Set(ids).size).toBe(ids.length)
        for (const { kind, metadata } of objects) {
          expect(metadata.namespace ?? metadata.name).toBe('a-dev')
          expect([kind, dnsSubdomain.test(metadata.name)]).toEqual([kind, true])
        }
      }),
    )
  })
})

function stagesOf(input: Input): Plan['stages'] {
  const owner = { app: 'a', env: 'dev', project: 'team', instance: 'a-dev' }
  const claim = { instanceUid: 'i', projectUid: 'p', hubUid: 'h' }
  return renderInstance({
    owner,
    claim,
    release: releaseOf(input),
    services: servicesOf(input),
    kept: [],
    access: [],
    quota: undefined,
    replaced: [],
    claims: new Map(),
  }).stages
}

function servicesOf(input: Input): readonly RunningService[] {
  return runningServices({
    instance: input.instance,
    env: input.env,
    release: releaseOf(input),
    stack: input.services,
    deployments: new Map(),
    bounds: new Map(),
  })
}

describe('the stages of a plan', () => {
  const kindsByStage: readonly ReadonlySet<string>[] = [
    new Set(['Namespace']),
    new Set(['ServiceAccount', 'NetworkPolicy', 'ConfigMap', 'Secret', 'PersistentVolumeClaim']),
    new Set(['Service', 'NetworkPolicy', 'PodDisruptionBudget', 'Deployment']),
    new Set(['Job']),
    new Set(['HorizontalPodAutoscaler']),
  ]

  it('are the order of the kinds: inside a stage there is none, and nothing needs what stands beside it', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const [namespace, configuration, ...services] = stagesOf(input)
        expect(services.length).toBeGreaterThan(0)
        for (const [index, stage] of [namespace!, configuration!].entries()) {
          for (const { type } of stage.objects) expect(kindsByStage[index]).toContain(type.kind)
        }
        for (const { objects } of services) {
          const { kind } = objects[0]!.type
          const index = { Job: 3, HorizontalPodAutoscaler: 4 }[kind] ?? 2
          for (const { type } of objects) expect(kindsByStage[index]).toContain(type.kind)
        }
      }),
    )
  })

  it('put a service after all that it depends on, and none where nothing stands', () => {
    let dependents = 0
    fc.assert(
      fc.property(inputs, (input) => {
        const stages = stagesOf(input)
        const stageOf = (name: string): number =>
          stages.findIndex(({ objects }) =>
            objects.some(({ type, object }) => type.kind === 'Deployment' && object.metadata.name === name),
          )
        for (const { name, dependsOn = [] } of input.services) {
          for (const needed of dependsOn) {
            dependents += 1
            expect(stageOf(name)).toBeGreaterThan(stageOf(needed))
          }
        }
        expect(stages.filter(({ objects }) => objects.length === 0)).toEqual([])
        const names = stages.map(({ name }) => name)
        expect(new Set(names).size).toBe(names.length)
      }),
    )
    expect(dependents).toBeGreaterThan(0)
  })
})

const revision = (name: string, number: number | undefined, creationTimestamp: string): AppStackRevision =>
  ({ metadata: { name, creationTimestamp }, spec: { stack: 's', number, services: [] } }) as never

describe('a stack', () => {
  it('with the content of its newest revision publishes none; A, B, A publishes three', () => {
    fc.assert(
      fc.property(inputs, inputs, (one, other) => {
        fc.pre(canonical(one.services) !== canonical(other.services))
        const stack = { namespace: 'team', name: 's' }
        const published: AppStackRevision[] = []
        for (const { services } of [one, one, other, other, one]) {
          const next = nextRevision({ ...stack, services }, published.toReversed())
          if (next) published.push(next)
        }
        expect(published.map(({ spec }) => spec.number)).toEqual([1, 2, 3])
        expect(latestRevision(stack, published)).toBe(published[2])
      }),
      { numRuns: 30 },
    )
  })

  it('has one newest revision, whatever the order in which two of one number are listed', () => {
    const spec = { stack: 's', number: 3, services: [] }
    const [a, b] = ['s-r3-a', 's-r3-b'].map((name) => ({ metadata: { name }, spec }) as unknown as AppStackRevision)
    expect(newestFirst([a!, b!])).toEqual(newestFirst([b!, a!]))
  })

  it('lists those that have no number, being from git, after the counted ones: by when they were created, then by name', () => {
    const listed = [
      revision('s-r2-a', 2, '2026-01-01T00:00:00Z'),
      revision('s-1.2', undefined, '2026-01-03T00:00:00Z'),
      revision('s-1.10', undefined, '2026-01-02T00:00:00Z'),
      revision('s-1.9', undefined, '2026-01-02T00:00:00Z'),
    ]
    expect(newestFirst(listed.toReversed())).toEqual(listed)
  })

  it('with a version is published under it once, goes back to an earlier one, and keeps its content when it has none', () => {
    const [a, b] = ['a', 'b'].map((name) => [{ name }] as never)
    const stack = { namespace: 'team', name: 's' }
    const first = nextRevision({ ...stack, version: '1.0', services: a! }, [])!
    const second = nextRevision({ ...stack, version: '1.1', services: b! }, [first])!
    expect([first, second].map(({ metadata }) => metadata.name)).toEqual(['s-1.0', 's-1.1'])
    expect(nextRevision({ ...stack, version: '1.0', services: a! }, [first, second])).toBeUndefined()
    expect(latestRevision({ ...stack, version: '1.0' }, [first, second])).toBe(first)
    expect(nextRevision({ ...stack, version: '1.0', services: b! }, [first, second])?.metadata.name).toBe('s-1.0')
    expect(nextRevision({ ...stack, services: b! }, [first, second])).toBeUndefined()
  })
})

it('the address told to replicas is the one in the status: the first HTTP port of the main service', () => {
  const services = [{ name: 'web', ports: [{ name: 'raw', port: 1, protocol: 'TCP' as const }, { port: 80 }] }]
  const { services: parsed } = appStackKind.spec.parse({ services }) as AppStack['spec']
  const instance = {
    metadata: { name: 'a-dev' },
    spec: { app: 'a', env: 'dev', replicas: 1, image: 'i' },
  } as AppInstance
  const env = { spec: { type: 'dev' } } as AppEnv
  const [web] = resolve({
    instance,
    app: { spec: {} } as App,
    env,
    services: parsed,
    references: recordedReferences(),
  }).services
  expect(web!.variables).toContainEqual({ name: 'APPSTEAD_URL', value: 'http://web.a-dev.svc:80' })
})

it.each([
  ['1000m', '1'],
  ['0.5', '500m'],
  ['0.50', '500m'],
  ['2.100', '2100m'],
  ['0', '0'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Ki', '512'],
  ['1.1Ki', '1126400m'],
  ['1000k', '1M'],
  // A whole number of bytes, and not of Ki: without a unit the server reads it as decimal.
  ['812.5Ki', '832k'],
  ['999999999999Ti', '9223372036854775807'],
])('%s is rendered as %s', (written, rendered) => {
  expect(canonicalQuantity(written)).toBe(rendered)
  expect(canonicalQuantity(rendered)).toBe(rendered)
})

it('an amount as it is rendered is rendered as it is', () => {
  const wholeBytes = /^[0-9]{1,6}([.](5|25|75|125|375|625|875))?(Ki|Mi)$/
  const amount = fc.oneof(...[cpuQuantity, memoryQuantity, wholeBytes].map((pattern) => fc.stringMatching(pattern)))
  const property = fc.property(amount, (written) => {
    const rendered = canonicalQuantity(written)
    expect(canonicalQuantity(rendered)).toBe(rendered)
  })
  fc.assert(property, { numRuns: 5000 })
})

it('makeRelease counts on from the newest release', () => {
  const instance = { metadata: { name: 'a-dev', uid: 'u', generation: 2 } } as AppInstance
  const first = makeRelease(instance, { services: [], stackRevision: 'r' }, { changes: [] })
  expect(makeRelease(instance, { services: [], stackRevision: 'r' }, { newest: first, changes: [] }).spec.number).toBe(
    2,
  )
})
