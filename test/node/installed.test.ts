import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ensureHelm } from '../cluster/binaries.ts'
import { loadImage } from '../cluster/cluster.ts'
import { makeImage } from '../cluster/image.ts'
import { tryRun, type Finished } from '../cluster/process.ts'
import { reportToTerminal } from '../cluster/progress.ts'
import { unpackGround, type Ground } from '../upgrade/ground.ts'
import { operatorNamespace } from './operatorPods.ts'
import { getInstance, podsOf, project, startNodeWorld, untilInstance, type NodeWorld } from './world.ts'

/** The chart, from its first version to this one and out again: one story on one cluster, in order. */

const instance = 'hello-dev'
const chart = join(import.meta.dirname, '../../charts/appstead')
const groundImage = { repository: 'appstead.local/operator', tag: 'ground' }
const folder = mkdtempSync(join(tmpdir(), 'appstead-ground-'))

let world: NodeWorld
let ground: Ground
let helm: string

beforeAll(async () => {
  world = await startNodeWorld()
  helm = await ensureHelm(reportToTerminal)
  ground = unpackGround(folder, `${groundImage.repository}:${groundImage.tag}`)
  const image = join(folder, 'image.tar')
  await makeImage(ground.image, image)
  await loadImage(image, { name: world.cluster.name, report: reportToTerminal })
}, 900_000)

afterAll(() => rmSync(folder, { recursive: true }))

/** Helm, on this cluster and in the operator's namespace. */
function runHelm(...args: readonly string[]): Promise<Finished> {
  return tryRun(helm, [...args, '--kubeconfig', world.cluster.kubeconfig, '--namespace', operatorNamespace])
}

/** Brings the release to a chart; rejects with Helm's words. */
async function install(from: string, { repository, tag }: { repository: string; tag: string }): Promise<void> {
  const sets = ['--set', `image.repository=${repository}`, '--set', `image.tag=${tag}`]
  const done = await runHelm('upgrade', '--install', 'appstead', from, ...sets, '--wait', '--timeout', '3m')
  if (done.status !== 0) throw new Error(done.stderr)
}

/** The pods that serve, as somebody would see that one was made anew or started again. */
async function servingPods(): Promise<readonly string[]> {
  const pods = await podsOf(world, instance)
  return pods.map(({ metadata, status }) => `${metadata.uid} ${status.containerStatuses?.[0]?.restartCount} restarts`)
}

async function crds(): Promise<readonly string[]> {
  const names = await world.kubectl.text('get', 'crds', '-o', 'name')
  return names.split('\n').filter((name) => name.endsWith('.appstead.dev'))
}

describe('the chart', () => {
  it('is uninstalled as its notes say, and all of it goes', async () => {
    const { stdout } = await runHelm('get', 'notes', 'appstead')
    const commands = stdout.split('\n').filter((line) => /^ {2}(kubectl delete|helm uninstall)/.test(line))
    expect(commands).toHaveLength(3)
    const before = await crds()
    for (const command of commands) {
      const [program, ...args] = command.trim().split(' ')
      const done = program === 'helm' ? await runHelm(...args) : await world.kubectl.ask(...args)
      expect(done).toMatchObject({ status: 0 })
      expect(await crds()).toEqual(args.includes('crds') ? [] : before)
    }
    expect(await podsOf(world, operatorNamespace)).toEqual([])
  }, 180_000)

  it('is upgraded from what it was in the beginning, and no pod of an instance is started again', async () => {
    await install(ground.chart, groundImage)
    await world.kubectl.apply(ground.example, project)
    await untilInstance(world, instance, ({ status }) => status.phase === 'Running')
    const before = await servingPods()
    expect(before).toEqual([expect.stringMatching(/ 0 restarts$/)])
    const old = (await getInstance(world, instance)).status.currentRelease?.number

    await install(chart, world.images.operator)
    // What the first version never told: the new one has looked.
    await untilInstance(world, instance, ({ status }) => status.phase === 'Running' && 'effective' in status)
    expect(await servingPods()).toEqual(before)
    expect((await getInstance(world, instance)).status.currentRelease?.number).toBe(old)
  }, 300_000)

  it('passes helm test', async () => {
    const { status, stderr } = await runHelm('test', 'appstead')
    expect(status).toBe(0)
    expect(stderr).toContain('its kinds, its rights and the policies of the API server are in place.')
  }, 120_000)

  it('is not uninstalled while there are instances, and says why and what to do', async () => {
    const { status, stdout, stderr } = await runHelm('uninstall', 'appstead')
    expect(status).not.toBe(0)
    expect(stdout + stderr).toContain(
      `There is 1 AppInstance: ${project}/${instance}. Without the operator what runs goes on running, and nobody heals or removes it. To remove them first: kubectl delete appinstances --all --all-namespaces. To uninstall all the same: the same command with --no-hooks.`,
    )
    expect((await podsOf(world, operatorNamespace)).length).toBe(2)
    expect(await world.kubectl.text('-n', operatorNamespace, 'get', 'jobs', '-o', 'name')).toBe('')
  }, 180_000)

  it('is uninstalled all the same with --no-hooks, and installed again: what ran, runs', async () => {
    const before = await servingPods()
    expect(await runHelm('uninstall', 'appstead', '--no-hooks', '--wait')).toMatchObject({ status: 0 })
    expect(await podsOf(world, operatorNamespace)).toEqual([])
    expect(await crds()).not.toEqual([])
    await install(chart, world.images.operator)
    await world.kubectl.text('-n', project, 'scale', 'appinstance', instance, '--replicas=2')
    await untilInstance(world, instance, ({ status }) => status.pendingSummary === 'services[web].replicas')
    expect(await servingPods()).toEqual(before)
  }, 300_000)
})
