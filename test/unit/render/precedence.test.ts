import { expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import type { Input } from '../../../operator/render/resolve/input.ts'
import { resolve } from '../../../operator/render/resolve/resolve.ts'
import { inputs } from './generated.ts'

jest.setTimeout(120_000)

interface Variable {
  readonly name: string
  readonly value?: string | undefined
}

interface Layer {
  readonly variables?: readonly Variable[] | undefined
}

function named<Spec extends Layer>(spec: Spec): Spec {
  const variables = spec.variables?.map((each, index) => ({ ...each, name: `V${index}` }))
  return { ...spec, ...(variables && { variables }) }
}

/** The first variables of all are called the same, the second ones too, and so on. */
function contesting(input: Input): Input {
  const { env, app, instance } = input
  const own = instance.spec.services?.map(named)
  return {
    ...input,
    env: { ...env, spec: named(env.spec) },
    app: { ...app, spec: named(app.spec) },
    instance: { ...instance, spec: { ...named(instance.spec), ...(own && { services: own }) } },
    services: input.services.map(named),
  }
}

/** What is said of each variable of a service that inherits nothing, the last who has a say last; '' is a value. */
function saidOf(
  { env, app, instance }: Input,
  holder: Input['services'][number],
): { readonly of: string; readonly name: string; readonly values: readonly (string | undefined)[] }[] {
  const own = instance.spec.services?.find(({ name }) => name === holder.name)
  if (holder.from !== undefined || own?.enabled === false) return []
  const layers: readonly (Layer | undefined)[] = [env.spec, holder, app.spec, instance.spec, own]
  const all = layers.flatMap((layer) => layer?.variables ?? [])
  const byName = Map.groupBy(all, ({ name }) => name)
  return [...byName].map(([name, given]) => ({ of: holder.name, name, values: given.map(({ value }) => value) }))
}

it('a release has of each variable the value that the last one says who says any', () => {
  let contested = 0
  fc.assert(
    fc.property(inputs.map(contesting), (input) => {
      const said = input.services.flatMap((each) => saidOf(input, each))
      contested += said.filter(({ values }) => values.length > 1).length
      const { services } = resolve(input)
      const plain = said.filter(({ values }) => values.at(-1) !== undefined)
      const resolved = plain.map(({ of, name }) =>
        services.find((each) => each.name === of)?.variables.find((each) => each.name === name),
      )
      expect(resolved.map((each) => each?.value)).toEqual(plain.map(({ values }) => values.at(-1)))
    }),
  )
  expect(contested).toBeGreaterThan(10)
})
