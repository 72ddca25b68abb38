import { expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import type { ResolvedService } from '../../../operator/api/service/resolvedService.ts'
import type { StackService } from '../../../operator/api/service/stackService.ts'
import { environment } from '../../../operator/render/environment.ts'
import type { Input } from '../../../operator/render/resolve/input.ts'
import { mainOf } from '../../../operator/render/resolve/input.ts'
import { resolve } from '../../../operator/render/resolve/resolve.ts'
import { inputs } from './generated.ts'

jest.setTimeout(120_000)

/** Of every layer that may say a variable, each value tells whose it is: a plain one, or the Secret it is in. */

interface Layer {
  readonly variables?: readonly { readonly name: string }[] | undefined
  readonly variablesFrom?: readonly object[] | undefined
}

/** Every list of variables takes its names from here, and so do prefixes and links: all layers contest the same few. */
const contested = ['KEY', 'L0_HOST', 'L1_URL', 'L0_KEY'] as const
const prefixes = ['', 'L0_', 'FREE_']

function marked<Spec extends Layer>(spec: Spec, layer: string): Spec {
  const variables = spec.variables?.map((_, index) => ({
    name: contested[index % contested.length],
    // Where a value is from changes nothing about who wins.
    ...(index % 2 === 0 ? { value: layer } : { valueFrom: { secretKeyRef: { name: layer, key: 'KEY' } } }),
  }))
  const variablesFrom = spec.variablesFrom?.map((_, index) => ({
    configMapRef: { name: `${layer} bundle` },
    prefix: prefixes[index % prefixes.length],
  }))
  return { ...spec, ...(variables && { variables }), ...(variablesFrom && { variablesFrom }) }
}

function markedService(service: StackService): StackService {
  const links = service.links?.map((link, index) => ({ ...link, as: `L${index}` }))
  const generatedSecrets = service.generatedSecrets?.map((each, index) => ({ ...each, name: contested[index % 4]! }))
  return {
    ...marked(service, `stack ${service.name}`),
    ...(links && { links }),
    ...(generatedSecrets && { generatedSecrets }),
  }
}

function contesting(input: Input): Input {
  const { env, app, instance } = input
  const own = instance.spec.services?.map((each) => marked(each, `override ${each.name}`))
  return {
    ...input,
    env: { ...env, spec: marked(env.spec, 'AppEnv') },
    app: { ...app, spec: marked(app.spec, 'App') },
    instance: { ...instance, spec: { ...marked(instance.spec, 'AppInstance'), ...(own && { services: own }) } },
    services: input.services.map(markedService),
  }
}

/** What a layer says: the names of its variables. */
type Saying = readonly [layer: string, names: readonly string[]]

/** All that is said of a service, the last who has a say last: the list of design/api.md, Variables. */
function sayings(input: Input, service: StackService): readonly Saying[] {
  const { env, app, instance } = input
  const source = input.services.find(({ name }) => name === service.from)
  const own = instance.spec.services?.find(({ name }) => name === service.name)
  const stack = source ? [source, service] : [service]
  return [
    ['platform', platformNames(input)],
    ['AppEnv', namesOf(env.spec)],
    ...stack.map((each): Saying => [`stack ${each.name} bundle`, bundleNames(each)]),
    ...stack.map((each): Saying => [`stack ${each.name}`, namesOf(each)]),
    ['links', linkNames(input, stack)],
    ['App bundle', bundleNames(app.spec)],
    ['App', namesOf(app.spec)],
    ['AppInstance bundle', bundleNames(instance.spec)],
    ['AppInstance', namesOf(instance.spec)],
    [`override ${service.name}`, own ? namesOf(own) : []],
  ]
}

const namesOf = ({ variables = [] }: Layer): string[] => variables.map(({ name }) => name)
const bundleNames = ({ variablesFrom = [] }: Layer): string[] =>
  variablesFrom.map((bundle) => `${(bundle as { prefix?: string }).prefix ?? ''}KEY`)

function platformNames({ services }: Input): string[] {
  const hasUrl = mainOf(services)?.ports?.some(({ protocol }) => protocol === 'HTTP')
  return ['APP', 'INSTANCE', 'ENV', 'ENV_TYPE', 'SERVICE', ...(hasUrl ? ['URL'] : [])].map((name) => `APPSTEAD_${name}`)
}

/** A link of a Worker is in place of the one that it would inherit. */
function linkNames({ services }: Input, stack: readonly StackService[]): string[] {
  const links = new Map(stack.flatMap(({ links: list = [] }) => list.map((link) => [link.as, link.service])))
  return [...links].flatMap(([as, name]) => {
    const target = services.find((each) => each.name === name)
    if (target?.type === 'PostgreSQL')
      return ['URL', 'HOST', 'PORT', 'USER', 'PASSWORD', 'NAME'].map((end) => `${as}_${end}`)
    const { ports = [] } = target ?? {}
    const ends = ports.length === 0 ? [] : ['HOST', 'PORT']
    if (ports.some(({ protocol }) => protocol === 'HTTP')) ends.push('URL')
    return ends.map((end) => `${as}_${end}`)
  })
}

/** Who has said the value that a variable has. */
function sayerOf(
  { name, value = '', copied }: ResolvedService['variables'][number],
  layers: readonly Saying[],
): string {
  const mark = copied ? copied.source.replace(/^\w+\//, '') : value
  if (layers.some(([layer]) => layer === mark)) return mark
  return name.startsWith('APPSTEAD_') ? 'platform' : 'links'
}

const kindOf = (layer: string): string => layer.replace(/ (?!bundle).*?(?= bundle|$)/, '')

it('a service has each variable that any layer says, with the value of the last that says it', () => {
  const won = new Set<string>()
  const lost = new Set<string>()
  fc.assert(
    fc.property(inputs.map(contesting), (input) => {
      for (const service of resolve(input).services) {
        const layers = sayings(
          input,
          input.services.find(({ name }) => name === service.name)!,
        )
        const all = layers.flatMap(([layer, names]) => names.map((name) => [name, layer] as const))
        const last = new Map(all)
        expect(Object.fromEntries(service.variables.map((each) => [each.name, sayerOf(each, layers)]))).toEqual(
          Object.fromEntries(last),
        )
        for (const [name, layer] of all) {
          if (last.get(name) === layer) continue
          lost.add(kindOf(layer))
          won.add(kindOf(last.get(name)!))
        }
        const given = new Set(last.keys())
        const made = service.generatedSecrets.map(({ name }) => name).filter((name) => !given.has(name))
        const env = environment(service) as readonly { name: string }[]
        expect(env.map(({ name }) => name).toSorted()).toEqual([...given, ...made].toSorted())
        for (const { name } of service.generatedSecrets) (given.has(name) ? lost : won).add('generated secret')
      }
    }),
    // Some layers meet in one input of a hundred. Whole inputs take minutes to be made smaller; the first failure says enough.
    { numRuns: 800, endOnFailure: true },
  )
  const inner = ['App', 'App bundle', 'AppInstance', 'AppInstance bundle', 'generated secret', 'links', 'stack']
  expect([...lost].toSorted()).toEqual([...inner, 'AppEnv', 'stack bundle'].toSorted())
  expect([...won].toSorted()).toEqual([...inner, 'override', 'stack bundle'].toSorted())
})
