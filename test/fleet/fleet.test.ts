import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
// Jest cannot let a CommonJS package (@dot-i's) require an ES module that is itself being linked: client-node must be there before.
import '../../operator/kube/access.ts'
import { valuesSchema } from '../../charts/values.ts'
import { informers } from '../../operator/controllers/informers.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { auditMark, requestsOf, type Request } from '../support/auditLog.ts'
import { killInStart, type OperatorProcess } from '../support/operatorProcess.ts'
import type { OperatorStart } from '../support/shippedOperator.ts'
import {
  measurePackages,
  promisedKilobytesOfHistory,
  promisedKilobytesPerInstance,
  promisedRatio,
} from '../bench/resident.ts'
import type { Hands } from '../support/hands.ts'
import { applyMember, createAll, makeProject, membersOf, type Member } from './fleet.ts'
import { allReady, settle } from './quiet.ts'
import { byMember, countByKind, countStanding, isMadeOnce, isRead, isStanding, ofKind, receivedAt } from './served.ts'
import { useFleet } from './world.ts'

/** `APPSTEAD_FLEET=10000 npm test -- --selectProjects fleet` for more, or for less on a busy machine. */
const size = Number(process.env['APPSTEAD_FLEET'] ?? 1000)
const small = { project: 'fleet-small', apps: 1, instances: 2 }
const middle = Array.from({ length: 18 }, (_, index) => ({
  project: `fleet-p${index}`,
  apps: 3,
  instances: Math.round(size * 0.03),
}))
/** One project has nearly as many as all others together. */
const big = { project: 'fleet-big', apps: 6, instances: size - 2 - 18 * Math.round(size * 0.03) }
const others = [big, ...middle]
const smallMembers = membersOf(small)
const burst = others.flatMap(membersOf)
const everyone = [...smallMembers, ...burst]
const editedInBurst = smallMembers[0] as Member
const editedWhileDown = smallMembers[1] as Member
/**
 * Of these a Service is deleted while no operator runs: nobody waits for them, but they too need a write. They are the
 * first of each project, and would come before the edit if the projects only took turns.
 */
const driftedWhileDown = others.map((project) => membersOf(project)[0] as Member)

/** Of one project, each of which needs a write of a user's own urgency. */
const removedWhileDown = membersOf(big).slice(1, 21)
const changedWhileDown = membersOf(big).slice(21, 31)
const touchedWhileDown = new Set(
  [editedWhileDown, ...driftedWhileDown, ...removedWhileDown, ...changedWhileDown].map(nameOf),
)

/** So long that V8 has collected what the burst left: it does by itself when nothing was collected for 100 s. */
const secondsOfRest = 120
/** The default of the operator's configuration. */
const workers = 8

describe(`${size} instances`, () => {
  const world = useFleet('test-fleet')
  let operator: OperatorProcess | undefined
  const requestsSince = (mark: number): readonly Request[] => requestsOf(world.cluster, world.operatorUser, mark)

  it('are all made, each with as few requests as one, while a small project is served at once', async () => {
    const { hands, cluster } = world
    operator = await world.startOperator()
    for (const project of [small, ...others]) await makeProject(hands, project)
    const started = auditMark(cluster)
    await createAll(hands, smallMembers)
    await allReady(world)
    await settle(world)
    const idle = operator.usage()

    const mark = auditMark(cluster)
    const startedAt = performance.now()
    await createAll(hands, burst)
    const createdSeconds = (performance.now() - startedAt) / 1000
    const editedAt = Date.now()
    await applyMember(hands, editedInBurst, 'hello:2')
    await allReady(world)
    const readySeconds = (performance.now() - startedAt) / 1000
    await settle(world)
    const busy = operator.usage()

    const requests = requestsSince(started)
    expect(requests.filter(isRead)).toEqual([])
    const served = byMember(requests, everyone)
    expect(burst.filter(({ name }) => !isMadeOnce(served.get(name) ?? [])).map(({ name }) => name)).toEqual([])

    const edit = ofKind(byMember(requestsSince(mark), everyone).get(editedInBurst.name) ?? [], 'patch deployments')
    expect(edit).toHaveLength(1)
    const servedAt = receivedAt(edit[0] as Request)
    const creations = burst.map(({ name }) =>
      receivedAt(ofKind(served.get(name) ?? [], 'patch deployments')[0] as Request),
    )
    const meanwhile = creations.filter((at) => at >= editedAt && at < servedAt).length
    const after = creations.filter((at) => at > servedAt).length
    print(
      `${burst.length} created in ${createdSeconds.toFixed(1)} s, Ready after ${readySeconds.toFixed(1)} s;`,
      `an edit in a small project was served ${servedAt - editedAt} ms later, after ${meanwhile} of the backlog and before ${after};`,
      `operator: idle ${describeUsage(idle)}, then ${describeUsage(busy)},`,
      `${(((busy.megabytes - idle.megabytes) * 1024) / burst.length).toFixed(1)} KB and`,
      `${(((busy.cpuSeconds - idle.cpuSeconds) * 1000) / burst.length).toFixed(1)} ms CPU per instance;`,
      `requests: ${JSON.stringify(countByKind(requestsSince(mark)))}`,
    )
    expect(after).toBeGreaterThan(0)
    expect(operator.complaints()).toEqual([])
  }, 1_800_000)

  it('ask for nothing when nothing changes', async () => {
    const mark = auditMark(world.cluster)
    const restedSince = performance.now()
    await pause(secondsOfRest * 1000)
    const requests = requestsSince(mark)
    const rested = (performance.now() - restedSince) / 1000
    const resting = operator!.usage()
    const promised = await promisedMegabytes(world.hands)
    // V8 looks 100 s after its last collection, which may have been a while after the last write.
    await waitUntil('memory is given back', 150, async () => operator!.usage().megabytes < promised)
    print(
      `after ${secondsOfRest} s of rest: ${describeUsage(resting)}; promised, T7: at most ${promised.toFixed(0)} MB`,
    )
    const { leases, watches } = countStanding(requests)
    print(`${leases} requests for the Lease; watches began or ended ${watches} times`)
    expect(countByKind(requests.filter((request) => !isStanding(request)))).toEqual({})
    // A renewal every two seconds, and one more at either end.
    expect(leases).toBeLessThanOrEqual(rested / 2 + 2)
    // Each lasts for five minutes at least, so it ends and begins once at most; the Lease's own is one more.
    expect(watches).toBeLessThanOrEqual(2 * (informers.length + 1))
  }, 330_000)

  it('are left alone by an operator that starts, which first serves what was changed meanwhile', async () => {
    const { hands, cluster } = world
    expect(await operator?.stop()).toBe(0)
    operator = undefined
    await applyMember(hands, editedWhileDown, 'hello:2')
    for (const { name } of driftedWhileDown) await hands.remove('Service', { namespace: name, name: 'web' })
    for (const { project, name } of removedWhileDown) await hands.remove('AppInstance', { namespace: project, name })
    for (const member of changedWhileDown) await applyMember(hands, member, 'hello:2')
    const mark = auditMark(cluster)
    const startedAt = performance.now()
    operator = await world.startOperator()
    const syncedSeconds = (performance.now() - startedAt) / 1000
    await allReady(world)
    await settle(world)
    const writes = requestsSince(mark)
      .filter((request) => !isStanding(request) && !isRead(request))
      .toSorted((a, b) => a.requestReceivedTimestamp.localeCompare(b.requestReceivedTimestamp))
    const served = byMember(writes, everyone)
    print(
      `restarted over ${everyone.length}: ready after ${syncedSeconds.toFixed(1)} s, ${describeUsage(operator.usage())};`,
      `requests: ${JSON.stringify(countByKind(requestsSince(mark)))}`,
    )
    const written = [...served].filter(([, each]) => each.length > 0).map(([name]) => name)
    expect(written).toEqual(everyone.map(nameOf).filter((name) => touchedWhileDown.has(name)))
    const hasOnce = (members: readonly Member[], kind: string): void => {
      const counts = members.map(({ name }) => [name, ofKind(served.get(name) ?? [], kind).length])
      expect(counts).toEqual(members.map(({ name }) => [name, 1]))
    }
    hasOnce(driftedWhileDown, 'patch services')
    for (const kind of ['patch deployments', 'create appreleases'])
      hasOnce([editedWhileDown, ...changedWhileDown], kind)
    // The second lets go of the instance.
    for (const kind of ['delete namespaces', 'patch appinstances']) hasOnce(removedWhileDown, kind)
    const left = [...(await hands.list('AppInstance', big.project)), ...(await hands.list('Namespace', ''))]
    const removed = new Set(removedWhileDown.map(nameOf))
    expect(left.filter(({ metadata }) => removed.has(metadata.name))).toEqual([])
    // The workers begin together, and their first requests may overtake each other.
    expect(writes.indexOf(served.get(editedWhileDown.name)?.[0] as Request)).toBeLessThan(workers)
    // Beside instances only the Apps of those that were changed or removed, which count them.
    const ofMembers = new Set([...served.values()].flat())
    const apps = [editedWhileDown, ...removedWhileDown, ...changedWhileDown].map(({ app }) => app)
    const rest = writes.filter((request) => !ofMembers.has(request))
    expect(rest.filter(({ objectRef }) => !apps.includes(objectRef?.name ?? ''))).toEqual([])
  }, 400_000)

  it('are served by an operator that has the memory of its container, after one that was killed as it started', async () => {
    const { hands, operatorKubeconfig: kubeconfig, start } = world
    expect(await operator?.stop()).toBe(0)
    operator = undefined
    await applyMember(hands, editedInBurst, 'hello:3')
    const mark = auditMark(world.cluster)
    const missing = await killInStart({ kubeconfig, logLevel: 'warn', start })
    operator = await world.startOperator(inContainer(start))
    await allReady(world)
    await settle(world)
    const usage = operator.usage()
    print(
      `killed when ${missing.length - 1} caches were not yet full, then with at most ${limitMegabytes} MB: ${describeUsage(usage)}`,
    )
    expect(usage.peakMegabytes).toBeLessThan(limitMegabytes)
    expect(operator.complaints()).toEqual([])
    const writes = requestsSince(mark).filter((request) => !isStanding(request) && !isRead(request))
    const written = [...byMember(writes, everyone)].filter(([, each]) => each.length > 0).map(([name]) => name)
    expect(written).toEqual([editedInBurst.name])
  }, 120_000)
})

/** What the chart lets the operator use at most. */
const limitMegabytes = mebibytesOf(valuesSchema.parse({}).resources.limits.memory)

function mebibytesOf(quantity: string | number): number {
  const [, count] = /^(\d+)Mi$/.exec(String(quantity)) ?? []
  if (count === undefined) throw new TypeError(`${quantity} is no number of Mi`)
  return Number(count)
}

/** As Node starts where there is no more memory than that: it gives half of it to what lives long. */
function inContainer({ arguments: given, ...start }: OperatorStart): OperatorStart {
  return { ...start, arguments: [`--max-old-space-size=${limitMegabytes / 2}`, ...given] }
}

function nameOf({ name }: Member): string {
  return name
}

/** What the operator may have resident (promises, T7), beside its packages as they are on this machine now. */
async function promisedMegabytes(hands: Hands): Promise<number> {
  const packages = await measurePackages(5)
  const instances = await hands.list('AppInstance', '')
  const releases = await hands.list('AppRelease', '')
  const specs = [...instances, ...releases].map(({ spec }) => JSON.stringify(spec).length)
  const kilobytes =
    promisedKilobytesPerInstance * instances.length +
    promisedKilobytesOfHistory * (releases.length - instances.length) +
    (2 * specs.reduce((sum, each) => sum + each, 0)) / 1024
  return promisedRatio * packages + kilobytes / 1024
}

function describeUsage({ cpuSeconds, megabytes, peakMegabytes }: ReturnType<OperatorProcess['usage']>): string {
  return `${megabytes.toFixed(0)} MB (at most ${peakMegabytes.toFixed(0)}), ${cpuSeconds.toFixed(1)} s CPU`
}

function print(...parts: readonly string[]): void {
  process.stderr.write(`${parts.join(' ')}\n`)
}
