import { describe, expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import { create, getInstance, makeApp, makeInstance, useWorld, web } from './world.ts'

const world = useWorld()

const many = (count: number, make: (index: number) => object): object[] =>
  Array.from({ length: count }, (_, index) => make(index))
const variable = (index: number): object => ({ name: `V${index}`, value: `${index}` })
const worker = (index: number): object => ({ name: `w${index}`, type: 'Worker', image: 'hello:1' })

describe('an App or an instance that is too large', () => {
  it.each<[string, () => object, string]>([
    [
      'a file of 900 KB',
      () => makeApp(world, [{ ...web, files: [{ path: '/etc/big', content: 'x'.repeat(900_000) }] }]),
      'spec.stack.services[0].files[0].content: Too long: may not be more than 65536 bytes',
    ],
    [
      '200 variables in one list',
      () => makeInstance(world, { variables: many(200, variable) }),
      'spec.variables: Too many: 200: must have at most 100 items',
    ],
    [
      '51 services',
      () => makeApp(world, [web, ...many(50, worker)]),
      'spec.stack.services: Too many: 51: must have at most 50 items',
    ],
  ])('by %s is refused with the field, its size and what would be right', async (_what, make, message) => {
    await expect(world.hands.apply(make())).rejects.toThrow(message)
    await create(world)
    expect((await getInstance(world))['status'].phase).toBe('Deploying')
  })

  it('may have 50 services with all the variables a list takes', async () => {
    const variables = many(100, variable)
    await create(world, { stack: [{ ...web, variables }, ...many(49, worker)], spec: { variables } })
    await rollOut(world.hands, world.operator, world.instance)
    const { status } = await getInstance(world)
    expect(status).toMatchObject({ phase: 'Running', counts: { summary: '50/50' } })
    expect(status.services).toHaveLength(50)
  }, 120_000)
})
