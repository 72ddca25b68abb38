import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { waitUntil } from '../cluster/kubeApi.ts'
import { intoErrored, outByDeletion, outByRetry, removeTaken, takenInstance, type Walk } from '../demo/errored.ts'
import {
  conditionOf,
  getInstance,
  isReady,
  podsOf,
  project,
  startNodeWorld,
  untilInstance,
  type NodeWorld,
} from './world.ts'

/** The walk of examples/errored, which `make demo` shows too; and the same for want of quota. */

let world: NodeWorld
let walk: Walk
const told: string[] = []
/** A project in which no release may be made. */
const small = 'shop-small'
const say = (text: string): void => void process.stderr.write(`${text.trim()}\n`)

beforeAll(async () => {
  world = await startNodeWorld()
  const { kubectl, images } = world
  walk = { kubectl, project, image: images.hello('1'), report: (line) => told.push(line) }
  await removeTaken(walk)
  await kubectl.text('delete', 'namespace', small, '--ignore-not-found', '--timeout=90s')
}, 900_000)

afterAll(async () => {
  say(told.join('\n'))
  await removeTaken(walk)
  await world.kubectl.ask('delete', 'namespace', small, '--wait=false')
}, 120_000)

interface Task {
  readonly spec: {
    readonly instanceUid: string
    readonly attempt: number
    readonly cause: string
  }
  readonly status: { readonly conditions: readonly { readonly status: string; readonly reason: string }[] }
}

/** How each try of the instance that is there now ended, the oldest first. */
async function tries(): Promise<readonly string[]> {
  const { kubectl } = world
  const named = ['-n', project, 'get', 'appinstance', takenInstance]
  const { metadata } = await kubectl.json<{ metadata: { uid: string } }>(...named)
  const args = ['-n', project, 'get', 'apptasks', '--sort-by=.metadata.creationTimestamp']
  const { items } = await kubectl.json<{ readonly items: readonly Task[] }>(...args)
  return items
    .filter(({ spec }) => spec.instanceUid === metadata.uid)
    .map(({ spec, status }) => `${spec.cause}: ${status.conditions[0]?.status} ${status.conditions[0]?.reason}`)
}

const strangers = (): Promise<unknown> => world.kubectl.json('get', 'namespace', takenInstance)

describe('an instance whose namespace is another team’s', () => {
  it('is Errored, says the ways out, and the API server refuses its changes', async () => {
    await intoErrored(walk)
    const before = await strangers()
    const instance = await getInstance(world, takenInstance)
    expect(conditionOf(instance, 'Stalled').state).toBe('True NamespaceConflict')
    const patch = ['patch', 'appinstance', takenInstance, '--type=merge', '-p', '{"spec":{"replicas":2}}']
    let refusal = ''
    await waitUntil('the lock is in force', 60, async () => {
      const { status, stderr } = await world.kubectl.ask('-n', project, ...patch, '--dry-run=server')
      refusal = stderr
      return status !== 0
    })
    expect(refusal).toContain(`AppInstance '${takenInstance}' is Errored (Creation, NamespaceConflict since`)
    expect(await strangers()).toEqual(before)
    expect(await tries()).toEqual(['instance created: False NamespaceConflict'])
  }, 180_000)

  it('says which generation is stored and not acted on, when a tool that applies what is in git changes it', async () => {
    const { kubectl } = world
    const rights = ['rolebinding', 'gitops', '--clusterrole=cluster-admin', `--serviceaccount=${project}:gitops`]
    await kubectl.text('-n', project, 'create', ...rights)
    const patch = ['patch', 'appinstance', takenInstance, '--type=merge', '-p', '{"spec":{"replicas":2}}']
    // A refusal would fail all else that such a tool applies with it.
    const { status, stderr } = await kubectl.ask(
      '-n',
      project,
      ...patch,
      `--as=system:serviceaccount:${project}:gitops`,
    )
    expect([status, stderr]).toEqual([0, expect.stringContaining(`AppInstance '${takenInstance}' is Errored`)])
    const blocked = await untilInstance(world, takenInstance, (each) =>
      conditionOf(each, 'Ready').message.includes('Generation 2'),
    )
    const { message } = conditionOf(blocked, 'Ready')
    const retry = `kubectl annotate appinstance ${takenInstance} -n ${project} --overwrite appstead.dev/retry=attempt-2`
    const giveUp = `kubectl delete appinstance ${takenInstance} -n ${project}`
    expect(message).toContain(`Creation failed at step 'namespace': Namespace '${takenInstance}' `)
    expect(message).toContain(
      `. Generation 2 is stored, not acted on. Nothing was removed. To see more: kubectl describe namespace ${takenInstance}; to try again: ${retry}; to give up: ${giveUp}`,
    )
    const table = await kubectl.text('-n', project, 'get', 'appinstances', '-o', 'wide')
    say(table)
    expect(table.replaceAll(/ {2,}/g, '  ')).toMatch(/\n\S+ {2}dev {2}Errored {2}False {2}False {2}/)
    expect(table).toContain(message)
  }, 90_000)

  it('goes at once when it is given up, and leaves the namespace as it is', async () => {
    const before = await strangers()
    await outByDeletion(walk)
    const { status } = await world.kubectl.ask('-n', project, 'get', 'appinstance', takenInstance)
    expect(status).not.toBe(0)
    expect(await strangers()).toEqual(before)
  }, 180_000)

  it('runs when the name is free and a retry is asked for', async () => {
    await intoErrored(walk)
    await outByRetry(walk)
    const pods = await podsOf(world, takenInstance, 'appstead.dev/service=web')
    expect(pods.filter(isReady)).toHaveLength(1)
    expect(await tries()).toEqual(['instance created: False NamespaceConflict', 'attempt-2: True Completed'])
    expect(told.join('\n')).toContain('appstead.dev/retry=attempt-2')
  }, 300_000)
})

describe('an instance for which there is no quota', () => {
  it('is Errored past its deadline, says the numbers, and runs when there is some and a retry is asked for', async () => {
    const { kubectl, images } = world
    const count = 'count/appreleases.appstead.dev'
    const spec = { hard: { [count]: '0' } }
    const none = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none' }, spec }
    await kubectl.text('create', 'namespace', small)
    await kubectl.apply(JSON.stringify(none), small)
    await kubectl.text('-n', small, 'wait', 'resourcequota/none', '--for=jsonpath={.status.hard}', '--timeout=60s')
    const items = [
      {
        apiVersion: 'appstead.dev/v1alpha1',
        kind: 'App',
        metadata: { name: 'small' },
        spec: { stack: { services: [{ name: 'web', ports: [{ port: 8080 }], healthCheck: { path: '/healthz' } }] } },
      },
      {
        apiVersion: 'appstead.dev/v1alpha1',
        kind: 'AppInstance',
        metadata: { name: 'small-dev' },
        spec: { app: 'small', env: 'dev', image: images.hello('1'), creationDeadlineSeconds: 10 },
      },
    ]
    await kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), small)
    const instance = ['-n', small, 'appinstance/small-dev']
    await kubectl.text('wait', ...instance, '--for=jsonpath={.status.phase}=Errored', '--timeout=90s')
    say(await kubectl.text('get', ...instance, '-o', 'wide'))
    const { status } = await kubectl.json<{ status: { error: { message: string; nextSteps: readonly string[] } } }>(
      'get',
      ...instance,
    )
    const { message, nextSteps } = status.error
    expect(message).toContain(`exceeded quota: none, requested: ${count}=1, used: ${count}=0, limited: ${count}=0`)
    expect(message).toContain(`see kubectl describe resourcequota -n ${small}`)
    await kubectl.text('-n', small, 'delete', 'resourcequota', 'none')
    await kubectl.text(...nextSteps[0]!.split(' ').slice(1))
    await kubectl.text('wait', ...instance, '--for=condition=Ready', '--timeout=120s')
  }, 300_000)
})

/** What kubectl said until it ended, or was ended after so many seconds: attach and port-forward go on for as long as they may. */
function within(seconds: number, ...args: string[]): Promise<{ readonly ended: boolean; readonly said: string }> {
  const [path, ...fixed] = world.kubectl.command
  return new Promise((resolve, reject) => {
    const child = spawn(path, [...fixed, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [ended, said] = [true, '']
    const hear = (chunk: Buffer): void => {
      said += chunk.toString()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', reject)
    const timer = setTimeout(() => {
      ended = false
      child.kill()
    }, seconds * 1000)
    child.once('close', () => {
      clearTimeout(timer)
      resolve({ ended, said })
    })
  })
}

describe('an instance that is Errored while a replica of it runs', () => {
  it('lets nobody in any more: exec, attach and port-forward of kubectl are refused', async () => {
    const { kubectl, images } = world
    // It does not end when it is told to: the removal misses its deadline before the replica is killed.
    const program = `http.createServer((_, answer) => answer.end('here')).listen(8080); process.on('SIGTERM', () => {})`
    const web = { name: 'web', command: ['node', '--eval', program], ports: [{ port: 8080 }] }
    const rollout = { drainSeconds: 5, terminationGracePeriodSeconds: 240 }
    const spec = { app: 'stays', env: 'dev', image: images.hello('1'), deletionDeadlineSeconds: 10 }
    const apiVersion = 'appstead.dev/v1alpha1'
    const items = [
      { apiVersion, kind: 'App', metadata: { name: 'stays' }, spec: { stack: { services: [{ ...web, rollout }] } } },
      { apiVersion, kind: 'AppInstance', metadata: { name: 'stays-dev' }, spec },
    ]
    await kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), project)
    await untilInstance(world, 'stays-dev', ({ status }) => status.phase === 'Running')
    const [pod] = await podsOf(world, 'stays-dev')
    const name = pod!.metadata.name
    const ways = {
      exec: ['-n', 'stays-dev', 'exec', name, '--', 'node', '--version'],
      attach: ['-n', 'stays-dev', 'attach', name],
      'port-forward': ['-n', 'stays-dev', 'port-forward', `pod/${name}`, ':8080'],
    }
    expect(await within(20, ...ways.exec)).toMatchObject({ ended: true, said: expect.stringMatching(/^v\d+/) })
    expect(await within(3, ...ways.attach)).toMatchObject({ ended: false })
    expect((await within(3, ...ways['port-forward'])).said).toContain('Forwarding from 127.0.0.1')

    await kubectl.text('-n', project, 'delete', 'appinstance', 'stays-dev', '--wait=false')
    const errored = await untilInstance(world, 'stays-dev', ({ status }) => status.phase === 'Errored')
    say(conditionOf(errored, 'Ready').message)
    for (const [way, args] of Object.entries(ways)) {
      const { ended, said } = await within(20, ...args)
      say(`${way}: ${said}`)
      expect([way, ended, said]).toEqual([way, true, expect.stringContaining('is Errored')])
      expect(said).toContain('may connect')
    }
    const running = '{.status.containerStatuses[0].state.running.startedAt}'
    const get = ['-n', 'stays-dev', 'get', 'pod', name, '-o', `jsonpath=${running}`]
    expect(await kubectl.text(...get)).not.toBe('')
    await kubectl.text('-n', 'stays-dev', 'delete', 'pod', name, '--force', '--grace-period=0')
    await kubectl.text('-n', project, 'wait', 'appinstance/stays-dev', '--for=delete', '--timeout=120s')
  }, 300_000)
})
