import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { waitUntil } from '../cluster/kubeApi.ts'
import { startAdmission, type Admission } from './admission.ts'
import { both, causes, type Cause } from './causes.ts'
import {
  conditionOf,
  follow,
  podsOf,
  project,
  promisedSeconds,
  secondsUntilTold,
  startNodeWorld,
  untilInstance,
  type Followed,
  type NodeWorld,
} from './world.ts'

/** What keeps an instance from serving, each made for real, side by side: one sentence, one command, and then silence. */

let world: NodeWorld
let admission: Admission | undefined
/** Each status of each instance, from before the first is made: `<name> <resourceVersion> <Ready.message>`. */
let told: Followed
/** When an instance was asked for what it cannot have, as performance.now() counts. */
const faultAt = new Map<string, number>()

const instanceOf = (app: string, name: string, spec: object = {}): object => ({
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'AppInstance',
  metadata: { name },
  spec: { app, env: 'dev', image: world.images.hello('1'), ...spec },
})

const declared = ({ name, service, others = [], instance }: Cause): readonly object[] => [
  {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'App',
    metadata: { name },
    spec: { stack: { services: [{ name: 'web', ports: [{ port: 8080 }], ...service }, ...others] } },
  },
  instanceOf(name, `${name}-dev`, instance),
]

const apply = (items: readonly object[], namespace = project): Promise<string> =>
  world.kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), namespace)

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'database',
    labels: { 'appstead.dev/allow': 'true' },
    annotations: { 'appstead.dev/allow-apps': 'key' },
  },
  stringData: { password: 'none' },
}
/** Made in an instance's namespace when it runs: its next replica is too much. */
const rules = {
  'quota-dev': {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'one' },
    spec: { hard: { pods: '1' } },
  },
  'range-dev': {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'small' },
    spec: { limits: [{ type: 'Container', max: { memory: '200Mi' } }] },
  },
}

beforeAll(async () => {
  world = await startNodeWorld()
  admission = await startAdmission(world, { scanned: 'scan-dev', unanswered: 'deaf-dev' })
  await apply([secret])
  const ready = '{.status.conditions[?(@.type=="Ready")].message}'
  told = follow(world, ['-n', project, 'appinstances'], `{.metadata.name} {.metadata.resourceVersion} ${ready}`)
  const all = [...causes, both]
  for (const { name } of all) faultAt.set(name, performance.now())
  await apply(all.flatMap(declared))
  for (const [instance, rule] of Object.entries(rules)) {
    await untilInstance(world, instance, ({ status }) => status.phase === 'Running')
    await apply([rule], instance)
    faultAt.set(instance.replace(/-dev$/, ''), performance.now())
    await world.kubectl.text('-n', project, 'scale', 'appinstance', instance, '--replicas=2')
  }
}, 900_000)

afterAll(async () => {
  told?.stop()
  if (world === undefined) return
  await admission?.stop()
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
}, 120_000)

const table = (): Promise<string> => world.kubectl.text('-n', project, 'get', 'appinstances', '-o', 'wide')

interface Told {
  readonly metadata: { readonly name: string; readonly resourceVersion: string }
  readonly type: string
  readonly reason: string
  readonly reportingController: string
  readonly regarding: { readonly name: string; readonly kind: string }
}

/** What the operator told in a namespace. */
async function eventsIn(namespace: string): Promise<readonly Told[]> {
  const list = ['-n', namespace, 'get', 'events.events.k8s.io']
  const { items } = await world.kubectl.json<{ items: readonly Told[] }>(...list)
  return items.filter(({ reportingController }) => reportingController === 'appstead.dev/operator')
}

const isWarning = ({ type }: Told): boolean => type === 'Warning'

async function warningsOf(name: string): Promise<readonly string[]> {
  const events = (await eventsIn(project)).filter(isWarning)
  return events.filter(({ regarding }) => regarding.name === name).map(({ reason }) => reason)
}

/** What is told beside others than the instance: of which kind, named how, and why. */
async function warningsBeside(name: string): Promise<readonly string[]> {
  const events = (await eventsIn(`${name}-dev`)).filter(isWarning)
  return events.map(({ regarding, reason }) => `${regarding.kind} ${regarding.name} ${reason}`)
}

const besideWhom = ({ child, reason }: Cause): readonly string[] => (child === undefined ? [] : [`${child} ${reason}`])

/** All of them, with what changes when one is counted up. */
async function allEvents(): Promise<readonly string[]> {
  const namespaces = [project, ...[...causes, both].map(({ name }) => `${name}-dev`)]
  const events = (await Promise.all(namespaces.map(eventsIn))).flat()
  return events
    .map(
      ({ metadata, reason, regarding }) => `${regarding.name} ${reason} ${metadata.name} ${metadata.resourceVersion}`,
    )
    .toSorted()
}

/** How long after the fault was asked for its cause stood in the status. */
const toldAfter = ({ name, tells }: Cause): Promise<number> =>
  secondsUntilTold(told, { name: `${name}-dev`, tells, since: faultAt.get(name)! })

const restartsOf = async (name: string): Promise<number> =>
  (await podsOf(world, `${name}-dev`))[0]?.status.containerStatuses?.[0]?.restartCount ?? 0

/** How often the kubelet tried to pull the image, as its Events count it. */
async function pullsOf(name: string): Promise<number> {
  const { items } = await world.kubectl.json<{
    items: readonly { readonly message: string; readonly count?: number }[]
  }>('-n', `${name}-dev`, 'get', 'events')
  return items
    .filter(({ message }) => message.startsWith('Pulling image'))
    .reduce((sum, { count = 1 }) => sum + count, 0)
}

/** What happens again and again in the world while the causes stand. */
const tries = (): Promise<readonly number[]> =>
  Promise.all([restartsOf('crash'), restartsOf('memory'), pullsOf('pull')])

describe('what keeps an instance from serving', () => {
  it.each(causes)(
    '$name: $reason, in one sentence with the next command',
    async (cause) => {
      const { name, phase, reason, tells } = cause
      const isTold = ({ message }: { message: string }): boolean => tells.every((part) => message.includes(part))
      const instance = await untilInstance(world, `${name}-dev`, (each) => isTold(conditionOf(each, 'Ready')), 60)
      expect(await toldAfter(cause)).toBeLessThan(promisedSeconds)
      const { state, message } = conditionOf(instance, 'Ready')
      expect(state).toContain(reason)
      // Object, cause, command: in this order.
      const places = tells.map((part) => message.indexOf(part))
      expect(places).toEqual(places.toSorted((a, b) => a - b))
      await untilInstance(world, `${name}-dev`, ({ status }) => status.phase === phase, 60)
      const row = (await table()).split('\n').find((line) => line.startsWith(`${name}-dev`))
      for (const part of tells) expect(row).toContain(part)
      await waitUntil('the Event', 30, async () => (await warningsOf(`${name}-dev`)).includes(reason))
    },
    180_000,
  )

  it('of two causes tells the worse one alone, with its command, and each with its service', async () => {
    const { name, tells, phase, reason } = both
    const instance = await untilInstance(
      world,
      `${name}-dev`,
      ({ status }) => ['web', 'jobs'].every((each) => status.services?.find((row) => row.name === each)?.message),
      60,
    )
    expect(await toldAfter(both)).toBeLessThan(promisedSeconds)
    const { state, message } = conditionOf(instance, 'Ready')
    process.stderr.write(`${message}\n`)
    expect([state, instance.status.phase]).toEqual([`Unknown ${reason}`, phase])
    const places = tells.map((part) => message.indexOf(part))
    expect(places.every((place) => place >= 0)).toBe(true)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    for (const once of ['cannot be pulled', 'see kubectl']) expect(message.split(once)).toHaveLength(2)
    expect(message).not.toContain('exit code')
    const rows = instance.status.services?.map((row) => [row.name, row.reason, row.message])
    expect(rows).toEqual([
      ['web', 'CrashLoop', expect.stringContaining('exit code 3, last line: no database')],
      ['jobs', 'ImagePullFailed', expect.stringContaining('the image cannot be pulled')],
    ])
  }, 90_000)

  it('once told, is told no more: neither the kubelet’s next try nor the next end of a process is news', async () => {
    process.stderr.write(await table())
    const before = { values: told.values.length, events: await allEvents() }
    const first = await tries()
    let last = first
    await waitUntil('each was tried again', 400, async () => {
      last = await tries()
      return last.every((count, index) => count > (first[index] ?? 0))
    })
    process.stderr.write(`restarts of crash, of memory, pulls of pull: ${first.join()} → ${last.join()}\n`)
    // Whatever the operator had to say of these, it has said when it speaks of one that came after them.
    await apply([instanceOf('typo', 'typo-last', { env: 'devv' })])
    await waitUntil('a later one is told', 30, () =>
      Promise.resolve(told.values.slice(before.values).some((value) => /^typo-last .*No AppEnv/.test(value))),
    )
    expect(told.values.slice(before.values).filter((value) => !value.startsWith('typo-last '))).toEqual([])
    await waitUntil('its Event', 30, async () => (await warningsOf('typo-last')).length === 1)
    expect((await allEvents()).filter((line) => !line.startsWith('typo-last '))).toEqual(before.events)
    for (const cause of causes) {
      const { name, reason } = cause
      expect([name, await warningsOf(`${name}-dev`)]).toEqual([name, [reason]])
      expect([name, await warningsBeside(name)]).toEqual([name, besideWhom(cause)])
    }
    expect(await warningsBeside('both')).toContain(`${both.child} ${both.reason}`)
  }, 450_000)
})
