import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { annotations } from '../../operator/api/meta.ts'
import { stopCluster } from '../cluster/cluster.ts'
import { startProxy } from '../faults/proxy.ts'
import { auditMark } from '../support/auditLog.ts'
import { demand } from '../support/apiserver.ts'
import { makeProject, productCluster, type ProductCluster } from '../support/productCluster.ts'
import { eventually, killApiServer, pause } from './engineCluster.ts'
import {
  getLease,
  isAllDone,
  isOfLease,
  isWrite,
  keepBusy,
  leasePath,
  Operators,
  type Operator,
} from './leaderProcesses.ts'

/** Real processes of the operator on a real control plane. Seconds are reported, never judged. */

const name = 'test-leader'
/** So long that what waits for expiry fails the test: nothing is waited for longer than 30 s. */
const forever = 45
const short = 6

let world: ProductCluster
let operators: Operators
let project: string
let busy: ReturnType<typeof keepBusy>
let mark: number

beforeAll(async () => {
  world = await productCluster(name)
  operators = new Operators(world)
}, 180_000)

beforeEach(async () => {
  await world.hands.admin({ method: 'DELETE', path: leasePath })
  project = (await makeProject(world.hands)).namespace
  busy = keepBusy(world, project)
  mark = auditMark(world.cluster)
})

afterEach(async () => {
  await busy.end()
  await operators.end()
})

afterAll(async () => {
  operators.clean()
  await stopCluster({ name, report: () => undefined })
}, 60_000)

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Starts both; the first leads and has written, the second is ready to and has seen who leads. */
async function startPair(leaseSeconds: number): Promise<{ readonly a: Operator; readonly b: Operator }> {
  const a = await operators.start('a', leaseSeconds)
  await eventually(isAtWork(a))
  const b = await operators.start('b', leaseSeconds)
  // Who comes when there is no Lease takes it: what a test does to the Lease must not come before its first look.
  await eventually(() => b.requests(mark).some((each) => each.verb === 'get' && isOfLease(each)))
  expect(b.isLeading()).toBe(false)
  return { a, b }
}

const holder = async (): Promise<string> => String((await getLease(world.hands.admin))['spec'].holderIdentity ?? '')

/** What it wrote but to the Lease. */
const works = (operator: Operator) => operator.requests(mark).filter((each) => isWrite(each) && !isOfLease(each))
/** What it wrote to the Lease. */
const claims = (operator: Operator, from = mark) =>
  operator.requests(from).filter((each) => isWrite(each) && isOfLease(each))

/** The one wrote its last, but to the Lease, before the other first claimed that. */
function expectHandedOver(from: Operator, to: Operator): void {
  expect(works(from).at(-1)!.stageTimestamp < claims(to)[0]!.requestReceivedTimestamp).toBe(true)
}

/** Seconds from the last thing one did until the other's first success with the Lease. */
function secondsBetween(from: string | undefined, to: string | undefined): string {
  return ((Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000).toFixed(2)
}

const isAtWork = (operator: Operator) => () => works(operator).some(({ responseStatus: { code } }) => code < 300)

describe('the leader', () => {
  it('alone writes; the standby is ready, and may do all it does', async () => {
    const { a, b } = await startPair(forever)
    await busy.end()
    await eventually(() => isAllDone(world, project))
    expect(b.requests(mark).filter(isWrite)).toEqual([])
    const refused = [...a.requests(mark), ...b.requests(mark)].filter(({ responseStatus: { code } }) => code === 403)
    expect(refused).toEqual([])
    const lease = await getLease(world.hands.admin)
    expect(lease['spec'].renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    expect(lease.metadata.annotations).toEqual({ [annotations.holderVersion]: expect.any(String) })
  }, 180_000)

  it('that is told to stop empties the Lease when it has written its last, and the standby needs no expiry', async () => {
    const { a, b } = await startPair(forever)
    const killedAt = new Date().toISOString()
    a.kill('SIGTERM')
    expect(await a.ended).toBe(0)
    await eventually(isAtWork(b))
    const emptied = claims(a).at(-1)
    const [taken] = claims(b)
    const last = works(a).at(-1)
    const [first] = works(b)
    expect(emptied?.verb).toBe('patch')
    expect(emptied?.responseStatus.code).toBe(200)
    expect(last!.stageTimestamp < emptied!.requestReceivedTimestamp).toBe(true)
    expect(emptied!.requestReceivedTimestamp < taken!.requestReceivedTimestamp).toBe(true)
    expect(taken!.stageTimestamp < first!.requestReceivedTimestamp).toBe(true)
    expect((await getLease(world.hands.admin))['spec'].leaseTransitions).toBe(1)
    say(
      `takeover after SIGTERM: ${secondsBetween(emptied!.stageTimestamp, taken!.stageTimestamp)} s after the Lease was ` +
        `emptied, ${secondsBetween(killedAt, first!.requestReceivedTimestamp)} s from the signal to the first write ` +
        '(promised, T9: within 1 s)',
    )
  }, 180_000)

  it('that is killed is replaced when its lease has expired', async () => {
    const { a, b } = await startPair(short)
    a.kill('SIGKILL')
    expect(await a.ended).toBe('SIGKILL')
    await eventually(isAtWork(b))
    const renewed = claims(a).at(-1)
    const [taken] = claims(b)
    expect((await getLease(world.hands.admin))['spec'].leaseTransitions).toBe(1)
    say(
      `takeover after SIGKILL: ${secondsBetween(renewed?.stageTimestamp, taken?.stageTimestamp)} s after the last ` +
        `renewal, with a lease of ${short} s (promised, T9: within ${short + 1} s)`,
    )
  }, 180_000)

  it('that was paused until another one led writes nothing when it goes on, and ends', async () => {
    const { a, b } = await startPair(short)
    a.kill('SIGSTOP')
    await eventually(isAtWork(b))
    const resumed = auditMark(world.cluster)
    a.kill('SIGCONT')
    expect(await a.ended).toBe(1)
    expect(a.log.at(-1)).toMatchObject({ msg: 'Lost the lead' })
    expect(a.requests(resumed).filter(isWrite)).toEqual([])
    expectHandedOver(a, b)
    expect(b.isLeading()).toBe(true)
  }, 180_000)

  it('makes the Lease anew when it is deleted, and claims it again when a hand empties it', async () => {
    const { a, b } = await startPair(short)
    const { uid } = (await getLease(world.hands.admin)).metadata
    await demand(world.hands.admin, { method: 'DELETE', path: leasePath })
    // Not there for a moment.
    await eventually(async () => (await getLease(world.hands.admin)).metadata.uid !== uid)
    expect(await holder()).toMatch(/^a_/)
    await demand(world.hands.admin, { method: 'PATCH', path: leasePath, body: { spec: { holderIdentity: '' } } })
    await eventually(async () => (await holder()).startsWith('a_'))
    await pause((short + 2) * 1000)
    expect(a.isLeading()).toBe(true)
    expect(b.requests(mark).filter(isWrite)).toEqual([])
  }, 180_000)

  it('ends when a hand gives the Lease to a stranger; the standby leads when that one has expired', async () => {
    const { a, b } = await startPair(short)
    const body = { spec: { holderIdentity: 'stranger' } }
    await demand(world.hands.admin, { method: 'PATCH', path: leasePath, body })
    const edited = auditMark(world.cluster)
    expect(await a.ended).toBe(1)
    expect(a.log.at(-1)).toMatchObject({ msg: 'Lost the lead', reason: 'stranger has taken the Lease' })
    await eventually(isAtWork(b))
    expectHandedOver(a, b)
    expect(claims(a, edited).filter(({ responseStatus: { code } }) => code < 300)).toEqual([])
  }, 180_000)
})

describe('a leader whose other requests all hang', () => {
  it('goes on to renew: the Lease has a connection of its own', async () => {
    const proxy = await startProxy(world.cluster.kubeconfig)
    try {
      const a = await operators.start('a', short, { kubeconfig: proxy.kubeconfig })
      await eventually(async () => (await world.hands.list('AppStackRevision', project)).length > 0)
      const held = proxy.hold(({ url, isWatch }) => !isWatch && !url.includes('/leases'))
      // More and more, until each of its connections waits for an answer.
      await eventually(() => held.count >= 4)
      const { renewTime } = (await getLease(world.hands.admin))['spec']
      await pause(2 * short * 1000)
      expect(a.isLeading()).toBe(true)
      const { spec } = await getLease(world.hands.admin)
      expect(spec).toMatchObject({ holderIdentity: expect.stringMatching(/^a_/), leaseTransitions: 0 })
      expect(spec.renewTime > renewTime).toBe(true)
      held.release()
      await busy.end()
      await eventually(() => isAllDone(world, project))
      expect(a.isLeading()).toBe(true)
    } finally {
      await operators.end()
      await proxy.close()
    }
  }, 180_000)
})

describe('a leader that cannot begin', () => {
  it('gives the lead back before it ends, and nobody waits until it expires', async () => {
    const folder = operators.copyAs('99.0.0')
    const broken = `export function createDefaultEnvs() { throw new Error('broken by a test') }`
    writeFileSync(join(folder, 'operator/controllers/appEnv/defaultEnvs.ts'), broken)
    const a = operators.launch('a', forever, { folder })
    expect(await a.ended).toBe(1)
    expect(a.errors()).toContain('Error: broken by a test')
    const { spec } = await getLease(world.hands.admin)
    expect(spec.holderIdentity).toBe('')
    const b = await operators.start('b', forever)
    await eventually(isAtWork(b))
  }, 180_000)
})

describe('two versions', () => {
  it('the older hands over and ends well; it never leads while a newer one lives, and leads when none does', async () => {
    const old = await operators.start('old', forever)
    await eventually(isAtWork(old))
    const next = await operators.start('next', forever, { folder: operators.copyAs('99.0.0') })
    expect(await old.ended).toBe(0)
    expect(old.log.find(({ msg }) => msg === 'Stopping')?.reason).toMatch(
      /^next_\w+ of version 99.0.0 asks for the lead/,
    )
    await eventually(isAtWork(next))
    const emptied = claims(old).at(-1)
    expect(works(old).at(-1)!.stageTimestamp < emptied!.requestReceivedTimestamp).toBe(true)
    expect((await getLease(world.hands.admin)).metadata.annotations).toEqual({ [annotations.holderVersion]: '99.0.0' })

    // As kubelet starts its container again, and as a rollback leaves only this one.
    const again = await operators.start('again', forever)
    await pause(3000)
    expect(next.isLeading()).toBe(true)
    expect(again.requests(mark).filter(isWrite)).toEqual([])
    next.kill('SIGTERM')
    expect(await next.ended).toBe(0)
    await busy.end()
    // The older one waits 2/15 of a lease twice, in case there is another newer one.
    await eventually(() => again.isLeading())
  }, 120_000)
})

describe('an API server that is away', () => {
  it('ends the lead in time; when it is back, the standby leads and does what was left', async () => {
    const { a, b } = await startPair(short)
    const killedAt = Date.now()
    const restart = await killApiServer(world.cluster)
    expect(await a.ended).toBe(1)
    say(
      `the lead ended ${((Date.now() - killedAt) / 1000).toFixed(2)} s after the API server, with a lease of ${short} s`,
    )
    await pause(Math.max(0, killedAt + 20_000 - Date.now()))
    expect(b.isLeading()).toBe(false)
    const back = auditMark(world.cluster)
    await restart()
    await eventually(isAtWork(b), 60)
    expect(a.requests(back)).toEqual([])
    await busy.end()
    await eventually(() => isAllDone(world, project), 60)
  }, 180_000)
})
