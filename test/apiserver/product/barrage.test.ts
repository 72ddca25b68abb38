import { describe, expect, it } from '@jest/globals'
import { collectionPath } from '../../../operator/kube/paths.ts'
import { typeOf, type Anything } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import { getInstance, makeApp, makeInstance, makeStack, useWorld, web } from './world.ts'

const world = useWorld()

/** Values that break programs which are careless with text. */
const hostile = [
  '$(touch /tmp/x)',
  '`id`',
  "'; DROP TABLE apps; --",
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'ＦＵＬＬ',
  '\u202e\u0000',
  '💥'.repeat(40),
  '{{ .Values }}',
  '-',
  'a'.repeat(300),
]
const wrong: unknown[] = [null, true, -1, 1.5, 1e18, [], {}, [[]], 'x'.repeat(70_000), ...hostile]

/** A good object of each kind, with every field. */
function good(): Anything[] {
  const service = {
    ...web,
    image: 'a:1',
    command: ['a'],
    args: ['b'],
    variables: [{ name: 'A', value: 'b' }],
    files: [{ path: '/etc/a', content: 'b' }],
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
    healthCheck: { path: '/a', port: 'http', timeoutSeconds: 1, startupSeconds: 1 },
    rollout: { progressDeadlineSeconds: 60, drainSeconds: 1, terminationGracePeriodSeconds: 9 },
    generatedSecrets: [{ name: 'S', length: 16 }],
  }
  const { namespace } = world
  const revision = { stack: 'bad', number: 1, services: [service] }
  return [
    {
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'AppEnv',
      metadata: { name: `${world.app}-env` },
      spec: { type: 'dev' },
    },
    makeApp(world, [service]),
    makeStack(world, 'bad', [service]),
    {
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'AppStackRevision',
      metadata: { namespace, name: 'bad-r1-abcdef' },
      spec: revision,
    },
    makeInstance(world, {
      replicas: 1,
      stack: { revision: 'bad-r1-abcdef' },
      variables: [{ name: 'A', value: 'b' }],
    }),
  ] as Anything[]
}

/** Every copy of the object with one value replaced, with the name of the field. */
function* spoil(object: Anything, value: unknown): Generator<{ bad: Anything; field: string }> {
  const paths: (string | number)[][] = []
  const walk = (node: unknown, path: (string | number)[]): void => {
    if (path.length > 0) paths.push(path)
    if (typeof node !== 'object' || node === null) return
    for (const [key, child] of Object.entries(node)) walk(child, [...path, Array.isArray(node) ? Number(key) : key])
  }
  walk(object['spec'], [])
  for (const path of paths) {
    const bad = structuredClone(object)
    let parent = bad['spec']
    for (const part of path.slice(0, -1)) parent = parent[part]
    parent[path.at(-1)!] = value
    yield { bad, field: String(path.findLast((part) => typeof part === 'string')) }
  }
}

describe('a barrage', () => {
  it('of bad objects is refused field by field, or told in the status; a good one works afterwards', async () => {
    const { hands, operator, instance } = world
    let sent = 0
    let refused = 0
    let accepted = 0
    const unnamed: string[] = []
    const send = async ({ bad, field }: { bad: Anything; field: string }): Promise<void> => {
      // As `kubectl create`: server-side apply answers a wrong type with a 500, whatever the kind.
      const type = typeOf(bad.kind)
      const name = `${bad.metadata.name}${(sent += 1)}`
      const path = `${collectionPath(type, bad.metadata.namespace)}?fieldValidation=Strict`
      const { status, body } = await hands.admin({
        method: 'POST',
        path,
        body: { ...bad, metadata: { ...bad.metadata, name } },
      })
      if (status < 300) accepted += 1
      else refused += 1
      const text = JSON.stringify(body)
      if (status >= 500 || (status > 299 && !text.includes(field.replace(/s$/, ''))))
        unnamed.push(`${status} ${bad.kind} ${field}: ${text.slice(0, 300)}`)
    }
    for (const object of good()) {
      for (const [index, value] of wrong.entries()) {
        // Every second value for each field: all are met, at half the price.
        const batch = [...spoil(object, value)].filter((_, at) => (at + index) % 2 === 0)
        await Promise.all(batch.map(send))
      }
      const unknown = structuredClone(object)
      unknown['spec'].env = 'x'
      unknown['spec'].nonsense = { a: 1 }
      await send({ bad: unknown, field: 'nonsense' })
    }
    process.stderr.write(`barrage: ${refused} refused, ${accepted} accepted\n`)
    expect(unnamed.slice(0, 5)).toEqual([])
    expect(refused).toBeGreaterThan(accepted)
    await operator.settle()
    await hands.apply(makeApp(world, [web]))
    await hands.apply(makeInstance(world))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status'].phase).toBe('Running')
    expect(operator.operator.isReady).toBe(true)
  }, 90_000)

  it('of hostile names and values that are allowed runs as it is written', async () => {
    const { hands, operator, instance } = world
    const variables = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((name) => ({
      name,
      value: `${name} \${x} $(id) ‮💥 '"\\ \n`,
    }))
    const services = [
      {
        ...web,
        name: 'constructor',
        variables,
        files: [{ path: '/__proto__', content: '\u0001💥' }],
        generatedSecrets: [{ name: 'valueOf' }],
      },
      { name: 'tostring', type: 'Worker', image: 'a:1', command: ['sh', '-c', '$(rm -rf /) `id`; ../..'] },
    ]
    await hands.apply(makeApp(world, services))
    await hands.apply(makeInstance(world, { variables: [{ name: 'isPrototypeOf', value: '__proto__' }] }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', counts: { summary: '2/2' } })
    const deployment = await hands.get('Deployment', { namespace: instance, name: 'constructor' })
    const env: { name: string; value?: string }[] = deployment['spec'].template.spec.containers[0].env
    for (const { name, value } of variables) {
      // Doubled for the kubelet, which makes one of two.
      expect(env.find((each) => each.name === name)?.value?.replaceAll('$$', '$')).toBe(value)
    }
  }, 30_000)
})
