import { describe, expect, it } from '@jest/globals'
import { kinds } from '../../../operator/api/kinds.ts'
import { apiVersion } from '../../../operator/api/meta.ts'
import { collectionPath } from '../../../operator/kube/paths.ts'
import { typeOf, type Anything } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import { objectionsTo } from '../../support/verdict.ts'
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

type Path = readonly (string | number)[]

interface Spoiled {
  readonly bad: Anything
  readonly path: Path
  readonly value: unknown
}

/** Every copy of the object with one value of its spec replaced. */
function* spoil(object: Anything, value: unknown): Generator<Spoiled> {
  const paths: Path[] = []
  const walk = (node: unknown, path: Path): void => {
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
    yield { bad, path, value }
  }
}

interface Refusal {
  readonly message: string
  readonly details?: { readonly causes?: readonly { readonly field: string; readonly message: string }[] }
}

/** What a refusal leaves open: nothing when it names the field, the value (of a wrong type: the type) and what is right. */
function gapsIn(body: Refusal, { path, value }: Spoiled): string[] {
  const where = textOf(path)
  const causes = (body.details?.causes ?? []).filter(({ field, message }) => isAbout(field, message, where, path))
  if (causes.length === 0) return [`no cause is about ${where}`]
  const right =
    /must|should|may not|at most|at least|Required|supported values|use |Duplicate|only|is [a-z]|has |takes /
  return [
    ...(causes.some(({ message }) => showsValue(message, value)) ? [] : [`no cause shows ${shown(value)}`]),
    ...(causes.some(({ message }) => right.test(message)) ? [] : ['no cause says what would be right']),
  ]
}

/** It names the field, or something in it; or what the field is in or stands beside, and the field in its words. */
function isAbout(field: string, message: string, where: string, path: Path): boolean {
  if (isIn(field, where)) return true
  const at = path.findLastIndex((part) => typeof part === 'string')
  const isNear = isIn(where, field) || isIn(field, textOf(path.slice(0, at))) || field === 'metadata.name'
  return isNear && new RegExp(`\\b${String(path[at]).replace(/s$/, '')}`).test(message)
}

function isIn(field: string, parent: string): boolean {
  return field === parent || field.startsWith(`${parent}.`) || field.startsWith(`${parent}[`)
}

function textOf(path: Path): string {
  return path.reduce<string>((text, part) => text + (typeof part === 'number' ? `[${part}]` : `.${part}`), 'spec')
}

function showsValue(message: string, value: unknown): boolean {
  if (typeof value !== 'string' && typeof value !== 'number') return true
  const isOfWrongType = /must be of type|Required value/.test(message)
  return isOfWrongType || message.includes('Too long') || message.includes(shown(value))
}

/** As the server quotes it, cut to what identifies it. */
function shown(value: unknown): string {
  if (typeof value !== 'string') return String(value)
  const quoted = JSON.stringify(value.slice(0, 12)).slice(1, -1)
  return quoted.replaceAll('\\u0000', '\\x00').replaceAll('\u202e', '\\u202e')
}

/** Of what the server took: objects that no status says anything about, or that our own schema would refuse. */
async function untold(objects: readonly Anything[]): Promise<string[]> {
  const told = await Promise.all(
    objects.map(async ({ kind, metadata: { name, namespace = '' } }) => {
      const { spec, status } = await world.hands.get(kind, { namespace, name })
      const { status: hasStatus, isStatusRare, ...type } = kinds.find((each) => each.kind === kind)!
      if (hasStatus !== null && !isStatusRare)
        return status?.observedGeneration >= 1 ? '' : `${kind} ${name} has no status`
      const objections = objectionsTo({ ...type, status: null }, { apiVersion, kind, metadata: { name }, spec })
      return objections.length === 0 ? '' : `${kind} ${name}: ${objections.join()}`
    }),
  )
  return told.filter((text) => text !== '')
}

const unknownField = { nonsense: { a: 1 } }

describe('a barrage', () => {
  it('of bad objects is refused by field, value and what would be right, or told in the status; a good one works afterwards', async () => {
    const { hands, operator, instance } = world
    let sent = 0
    let refused = 0
    const accepted: { spoiled: Spoiled; object: Anything }[] = []
    const open: string[] = []
    const send = async (spoiled: Spoiled): Promise<void> => {
      // As `kubectl create`: server-side apply answers a wrong type with a 500, whatever the kind.
      const { bad } = spoiled
      const type = typeOf(bad.kind)
      const name = `${bad.metadata.name}${(sent += 1)}`
      const path = `${collectionPath(type, bad.metadata.namespace)}?fieldValidation=Strict`
      const body = { ...bad, metadata: { ...bad.metadata, name } }
      const reply = await hands.admin({ method: 'POST', path, body })
      if (reply.status < 300) return void accepted.push({ spoiled, object: reply.body as Anything })
      refused += 1
      const gaps = reply.status === 422 ? gapsIn(reply.body as Refusal, spoiled) : [`status ${reply.status}`]
      if (gaps.length > 0)
        open.push(
          `${bad.kind} ${spoiled.path.join('.')} ${shown(spoiled.value)}: ${gaps.join(', ')}: ${JSON.stringify(reply.body).slice(0, 700)}`,
        )
    }
    for (const object of good()) {
      for (const value of wrong) await Promise.all([...spoil(object, value)].map(send))
      const body = { ...structuredClone(object), spec: { ...object['spec'], ...unknownField } }
      const path = `${collectionPath(typeOf(object.kind), object.metadata.namespace)}?fieldValidation=Strict`
      const reply = await hands.admin({ method: 'POST', path, body })
      expect(reply).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining('unknown field "spec.nonsense"') },
      })
    }
    process.stderr.write(`barrage: ${refused} refused, ${accepted.length} accepted, ${open.length} open\n`)
    expect(open.slice(0, 5)).toEqual([])
    expect(refused).toBeGreaterThan(accepted.length)
    await operator.settle()
    await hands.apply(makeApp(world, [web]))
    await hands.apply(makeInstance(world))
    await operator.settle()
    expect(await untold(accepted.map(({ object }) => object))).toEqual([])
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status'].phase).toBe('Running')
    expect(operator.operator.isWorking).toBe(true)
  }, 120_000)

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
