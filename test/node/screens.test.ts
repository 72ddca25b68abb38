import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { waitUntil } from '../cluster/kubeApi.ts'
import { declared, names, secretOf } from './site.ts'
import {
  conditionOf,
  follow as followObject,
  getInstance,
  isReady,
  podsOf,
  project,
  promisedSeconds,
  secondsUntilTold,
  startClient,
  startNodeWorld,
  untilInstance,
  type Client,
  type Followed,
  type NodeWorld,
} from './world.ts'

/**
 * What is on the screen at 3 a.m.: situations that people ask about, made for real, and told by `kubectl get`. That an
 * instance cannot be created is in errored.test.ts.
 */

let world: NodeWorld
/** Of site-failed, from before its roll-out fails until the last good release is back. */
let clients: readonly Client[] = []
let readyReplicas: Followed | undefined

/** What was told of the instances, and when what is wrong with each was made. */
let told: Followed
const faultAt = new Map<string, number>()
const toldAfter = (name: string, tells: readonly string[]): Promise<number> =>
  secondsUntilTold(told, { name, tells, since: faultAt.get(name)! })

function patch(name: string, spec: object): Promise<string> {
  faultAt.set(name, performance.now())
  const patched = JSON.stringify({ spec })
  return world.kubectl.text('-n', project, 'patch', 'appinstance', name, '--type=merge', '-p', patched)
}

/** The line of `kubectl get appinstances`. */
async function row(name: string, ...more: string[]): Promise<string> {
  const table = await world.kubectl.text('-n', project, 'get', 'appinstances', ...more)
  const line = table.split('\n').find((each) => each.startsWith(`${name} `)) ?? ''
  process.stderr.write(`${line}\n`)
  return line.replaceAll(/ {2,}/g, '  ')
}

/** The Events of an instance, one line each: reason and words. */
async function eventsOf(name: string): Promise<readonly string[]> {
  const { items } = await world.kubectl.json<{
    items: readonly { readonly reason: string; readonly message: string }[]
  }>('-n', project, 'get', 'events', '--field-selector', `involvedObject.kind=AppInstance,involvedObject.name=${name}`)
  return items.map(({ reason, message }) => `${reason}: ${message}`)
}

/** Does, word for word, what a message says can be done: its last command. */
function follow(message: string): Promise<string> {
  const command = message.slice(message.lastIndexOf('kubectl ')).replace(/[.;]$/, '')
  return world.kubectl.text(
    ...command
      .split(' ')
      .slice(1)
      .map((word) => word.replaceAll("'", '')),
  )
}

beforeAll(async () => {
  world = await startNodeWorld()
  await world.kubectl.apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: declared(world.images.hello('1')) }),
    project,
  )
  for (const name of names) await untilInstance(world, name, ({ status }) => status.phase === 'Running', 120)
  const [ready, pending] = ['Ready', 'ChangesPending'].map(
    (type) => `{.status.conditions[?(@.type=="${type}")].message}`,
  )
  told = followObject(world, ['-n', project, 'appinstances'], `{.metadata.name} ${ready} ${pending}`)
  faultAt.set('site-down', performance.now())
  await Promise.all(
    (await podsOf(world, 'site-down')).map(({ metadata }) =>
      world.kubectl.ask(
        '-n',
        'site-down',
        'exec',
        metadata.name,
        '--',
        'node',
        '--eval',
        "http.get('http://127.0.0.1:8080/break')",
      ),
    ),
  )
  await failUnderRequests()
  const keep = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'keep', finalizers: ['example.com/keep'] } }
  await world.kubectl.apply(JSON.stringify(keep), 'site-stuck')
  faultAt.set('site-stuck', performance.now())
  await world.kubectl.text('-n', project, 'delete', 'appinstance', 'site-stuck', '--wait=false')
  await patch('site-manual', { image: world.images.hello('2') })
  await patch('site-suspended', { suspend: true })
  await patch('site-suspended', { image: world.images.hello('2') })
  await patch('site-invalid', { services: [{ name: 'wep', enabled: false }] })
  await patch('site-waits', { replicas: 3 })
}, 900_000)

async function failUnderRequests(): Promise<void> {
  const service = ['-n', 'site-failed', 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}']
  const url = `http://${await world.kubectl.text(...service)}:8080/`
  readyReplicas = followObject(world, ['-n', 'site-failed', 'deployment', 'web'], '{.status.readyReplicas}')
  const how = ['keep-alive', 'fresh'] as const
  clients = await Promise.all(how.map((each) => startClient(world, each, url, 1000, { goesOn: true })))
  await patch('site-failed', { image: world.images.hello('2') })
}

afterAll(async () => {
  readyReplicas?.stop()
  told?.stop()
  if (world === undefined) return
  const keep = ['-n', 'site-stuck', 'patch', 'configmap', 'keep', '--type=merge']
  await world.kubectl.ask(...keep, '-p', '{"metadata":{"finalizers":null}}')
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
}, 120_000)

describe('at 3 a.m.', () => {
  it('the site is down: which service, exit code, last log line, of which release, and the logs’ command', async () => {
    const down = await untilInstance(world, 'site-down', ({ status }) => status.phase === 'Down', 60)
    const { message } = conditionOf(down, 'Ready')
    const words = `^Release site-down-[0-9a-f]{5}-r1: service 'web' has too few ready replicas: the process ended with exit code 3, last line: no database; see kubectl logs -n site-down -l appstead.dev/service=web --previous$`
    expect(message).toMatch(new RegExp(words))
    expect(await toldAfter('site-down', [message])).toBeLessThan(promisedSeconds)
    expect(await row('site-down')).toMatch(/^site-down {2}dev {2}Down {2}False {2}False {2}0\/2 /)
    expect(await row('site-down', '-o', 'wide')).toContain(message)
  }, 120_000)

  it('a deploy failed and the old release serves: which is which, why, and that it is not tried again', async () => {
    const failed = await untilInstance(
      world,
      'site-failed',
      (each) => conditionOf(each, 'Ready').message.includes('Release 1 serves'),
      60,
    )
    const { message } = conditionOf(failed, 'Ready')
    expect(message).toContain('Release 2 failed: ')
    expect(await toldAfter('site-failed', [message])).toBeLessThan(promisedSeconds)
    expect(message).toContain(
      "Service 'web' did not become ready within 15 seconds: its health check, GET /healthz on port http, is answered with status 500",
    )
    expect(message).toContain(
      'Release 1 serves; not tried again until the spec changes or appstead.dev/deploy asks: kubectl annotate',
    )
    expect(await row('site-failed')).toMatch(
      /^site-failed {2}dev {2}Degraded {2}False {2}True {2}1\/1 .* 1 \(2 failed\) /,
    )
    const { images } = world
    expect(await row('site-failed', '-o', 'wide')).toContain(`${images.hello('1')} (wanted: ${images.hello('2')})`)
  }, 120_000)

  it('no request was lost meanwhile, one replica was ready all the time, and what failed is not tried again by itself', async () => {
    const { images } = world
    const pods = async (): Promise<readonly string[]> =>
      (await podsOf(world, 'site-failed')).map(({ metadata }) => metadata.name)
    await waitUntil('the failed replica is gone', 60, async () => (await pods()).length === 1)
    const [served] = await pods()
    await Promise.all(clients.map((client) => client.end()))
    await waitUntil('the clients are done', 120, async () =>
      (await Promise.all(clients.map((client) => client.isOver()))).every(Boolean),
    )
    const results = await Promise.all(clients.map((client) => client.result()))
    process.stderr.write(`${JSON.stringify(results)}\nready: ${readyReplicas?.values.join()}\n`)
    expect(results.flatMap(({ lost }) => lost)).toEqual([])
    expect(Math.min(...results.map(({ answered }) => answered))).toBeGreaterThanOrEqual(1000)
    // The replica that was there before served all the time, and serves on.
    expect(results.map((result) => result.pods)).toEqual([[served], [served]])
    expect(new Set(readyReplicas?.values)).toEqual(new Set(['1']))

    await patch('site-failed', { image: images.hello('1') })
    await untilInstance(world, 'site-failed', ({ status }) => status.phase === 'Running', 60)
    await patch('site-failed', { image: images.hello('2') })
    const again = await untilInstance(world, 'site-failed', ({ status }) => status.phase === 'Degraded', 60)
    expect(conditionOf(again, 'Ready').message).toContain('Release 2 failed: ')
    const releases = await world.kubectl.text('-n', project, 'get', 'appreleases', '-o', 'name')
    expect(releases.match(/site-failed-/g)).toHaveLength(2)
    expect(await pods()).toEqual([served])
  }, 180_000)

  it('a deletion hangs: what is left, its finalizer, and the command that lets it go', async () => {
    const { uid } = (await getInstance(world, 'site-stuck')).metadata as { readonly uid?: string }
    let last = ''
    await waitUntil('it says what it waits for', 60, async () => {
      last = conditionOf(await getInstance(world, 'site-stuck'), 'Ready').message
      return last.includes('example.com/keep')
    })
    expect(await toldAfter('site-stuck', ['example.com/keep'])).toBeLessThan(promisedSeconds)
    const stuck = await untilInstance(world, 'site-stuck', ({ status }) => status.phase === 'Errored', 60)
    const { message } = conditionOf(stuck, 'Ready')
    expect(message).toMatch(/^Removal failed at step 'namespace': Namespace 'site-stuck' does not go: /)
    expect(message).toContain('finalizers remaining: example.com/keep in 1 resource instances')
    expect(message).toContain('configmaps. has 1 resource instances')
    expect(message).toContain('tried again every 5 minutes')
    expect(await row('site-stuck')).toMatch(/^site-stuck {2}dev {2}Errored /)
    expect((await eventsOf('site-stuck')).join('\n')).toContain('CleanupDeadlineExceeded: ')
    expect(message).toContain(`appstead.dev/force-delete=${uid}`)
    await follow(message)
    await waitUntil('it is gone', 60, async () => {
      const { status } = await world.kubectl.ask('-n', project, 'get', 'appinstance', 'site-stuck')
      return status !== 0
    })
  }, 180_000)

  it.each([
    [
      'site-manual',
      'Running',
      'ChangesPending',
      [
        'services[web].image appstead.local/hello:1 → appstead.local/hello:2 (Restart): ',
        'spec.deploy.trigger is Manual',
        `now: kubectl annotate appinstance site-manual -n ${project} appstead.dev/deploy=`,
      ],
    ],
    [
      'site-suspended',
      'Suspended',
      'ChangesPending',
      [
        'services[web].image appstead.local/hello:1 → appstead.local/hello:2 (Restart): ',
        'takes effect when spec.suspend is false again',
      ],
    ],
    [
      'site-waits',
      'Running',
      'ChangesPending',
      ['services[web].replicas 1 → 3 (Scale): takes effect with the next deployment', 'now: kubectl annotate'],
    ],
    ['site-invalid', 'Invalid', 'Ready', ['spec.services[wep] is an override of no service', "did you mean 'web'?"]],
  ])(
    '“I applied and nothing happened”: %s',
    async (name, phase, type, words) => {
      const found = await untilInstance(world, name, ({ status }) => status.phase === phase, 60)
      const { message } = conditionOf(found, type)
      process.stderr.write(`${name}: ${message}\n`)
      expect(words.filter((word) => !message.includes(word))).toEqual([])
      expect(await toldAfter(name, words)).toBeLessThan(promisedSeconds)
      // Of the reasons that there can be, one is told.
      expect(found.status.conditions?.filter((each) => ['ChangesPending', 'Stalled'].includes(each.type))).toHaveLength(
        1,
      )
      // Once, and nothing else besides what was told before and that it was suspended.
      const before = /^(?:NamespaceCreated|ReleaseCreated|RolledOut|AppNotFound|Suspended): /
      const since = async (): Promise<readonly string[]> =>
        (await eventsOf(name)).filter((event) => !before.test(event))
      await waitUntil('the Event', 30, async () => (await since()).length > 0)
      process.stderr.write(`${(await since()).join('\n')}\n`)
      expect(await since()).toEqual([`${conditionOf(found, type).state.split(' ')[1]}: ${message}`])
      const shown = await row(name, '-o', 'wide')
      const cause = phase === 'Suspended' ? ['Suspended (spec.suspend)', 'To resume: kubectl patch'] : words
      expect(cause.filter((word) => !shown.includes(word))).toEqual([])
    },
    90_000,
  )

  it('what was suspended comes back by the command it tells, with what was changed meanwhile', async () => {
    // Its version 2 answers no health check: that is for site-failed.
    await patch('site-suspended', { image: world.images.hello('1'), variables: [{ name: 'WORD', value: 'back' }] })
    const waiting = await untilInstance(
      world,
      'site-suspended',
      ({ status }) => status.pendingSummary?.includes('WORD') ?? false,
      30,
    )
    await follow(conditionOf(waiting, 'ChangesPending').message)
    const { status } = await untilInstance(world, 'site-suspended', ({ status: { phase } }) => phase === 'Running', 60)
    expect(status).toMatchObject({ counts: { summary: '1/1' }, currentRelease: { number: 2 } })
    await row('site-suspended')
  }, 90_000)

  it('a Secret changed: it waits for the next deployment, and a replica that is made anew until then has what its release has', async () => {
    const { kubectl } = world
    const words = async (): Promise<readonly string[]> => {
      const ready = (await podsOf(world, 'site-secret')).filter(isReady)
      const exec = ['--', 'node', '--eval', 'process.stdout.write(process.env.WORD)']
      return Promise.all(ready.map(({ metadata }) => kubectl.text('-n', 'site-secret', 'exec', metadata.name, ...exec)))
    }
    expect(await words()).toEqual(['old'])
    await kubectl.apply(JSON.stringify(secretOf('new')), project)
    const waiting = await untilInstance(world, 'site-secret', ({ status }) => status.pendingSummary !== undefined, 30)
    const { message } = conditionOf(waiting, 'ChangesPending')
    process.stderr.write(`site-secret: ${message}\n`)
    expect(message).toMatch(
      /^services\[web\]\.variables\[WORD\] \(Secret\/site has new content\) \(Restart\): takes effect with the next deployment/,
    )
    const [before] = await podsOf(world, 'site-secret')
    await kubectl.text('-n', 'site-secret', 'delete', 'pod', before!.metadata.name)
    await waitUntil('there is another one', 60, async () => (await words()).length === 1)
    expect(await words()).toEqual(['old'])
    await follow(message)
    await untilInstance(world, 'site-secret', ({ status }) => status.currentRelease?.number === 2, 60)
    await untilInstance(world, 'site-secret', ({ status }) => status.phase === 'Running', 60)
    await waitUntil('the new one alone is left', 60, async () => (await words()).join() === 'new')
  }, 180_000)
})
