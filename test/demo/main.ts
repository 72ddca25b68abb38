import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { startCluster, type Cluster } from '../cluster/cluster.ts'
import { layoutOf } from '../cluster/layout.ts'
import { mayStartPostgres } from '../cluster/postgres.ts'
import type { Report } from '../cluster/progress.ts'
import { chooseProvider, parseLevel, readSurroundings } from '../cluster/provider.ts'
import type { Level } from '../cluster/state.ts'
import { intoErrored, outByDeletion, outByRetry, removeTaken } from './errored.ts'
import { describeFailure } from './evidence.ts'
import {
  addressOf,
  applyHello,
  askHello,
  askThroughPortForward,
  changeImage,
  instance,
  manifestPath,
  shellPatchOf,
  waitForDrain,
  waitForRunning,
} from './hello.ts'
import { ensureImages, nameImages, writeImages, type DemoImages } from './images.ts'
import { makeKubectl, type Kubectl } from './kubectl.ts'
import { installOperator, platformNamespace, sayPods, startOperator, type Platform } from './platform.ts'
import { walkShop } from './shop.ts'
import { sayAccess, sayIntroduction, sayNext, sayOutput } from './texts.ts'
import { countRequests, sendFromHost, sendFromPod, type Traffic } from './traffic.ts'

/** `make demo`: from nothing to an app that runs, an update of it under requests, and an instance that is Errored. */

const report: Report = (line) => {
  process.stdout.write(`${line}\n`)
}

/** What every step needs. */
interface Stage {
  readonly cluster: Cluster
  readonly kubectl: Kubectl
  readonly images: DemoImages
  /** A cluster whose pods are played by kwok runs no image and answers no request. */
  readonly isReal: boolean
}

async function main(): Promise<void> {
  const startedAt = Date.now()
  const { values } = parseArgs({ options: { name: { type: 'string' }, level: { type: 'string' } } })
  sayIntroduction(report)
  heading('A cluster')
  const stage = await setStage(values.name || undefined, values.level ? parseLevel(values.level) : undefined)
  if (stage.isReal) await provideImages(stage)
  let platform: Platform | undefined
  try {
    platform = await providePlatform(stage)
    await deploy(stage)
    await update(stage)
    await walkErrored(stage)
    await showShop(stage)
  } catch (error) {
    report(await describeFailure(error, stage.kubectl, platform))
    process.exitCode = 1
    return
  }
  heading(`Done in ${Math.round((Date.now() - startedAt) / 1000)} s`)
  sayNext(stage.cluster, report)
}

async function setStage(name: string | undefined, level: Level | undefined): Promise<Stage> {
  const choice = await chooseProvider(level, readSurroundings())
  // Without a node nothing of an app is to be seen but objects: kwok at least plays the pods.
  const wanted = choice.level === 'control' ? 'kwok' : choice.level
  const cluster = await startCluster({ ...(name === undefined ? {} : { name }), level: wanted, report })
  report(
    `  cluster ${cluster.name}, level ${cluster.level}, ${cluster.server}${cluster.alreadyRan ? ' (ran already)' : ''}`,
  )
  const kubectl = makeKubectl(cluster.kubectl, cluster.kubeconfig)
  return { cluster, kubectl, images: nameImages(process.env['APPSTEAD_IMAGES']), isReal: cluster.level === 'node' }
}

async function provideImages({ cluster, images }: Stage): Promise<void> {
  const prefix = process.env['APPSTEAD_IMAGES']
  if (cluster.provider === 'given' && !prefix) await refuseWithoutImages(cluster, images)
  heading('Images')
  if (cluster.provider === 'given') report(`  the cluster pulls them from ${prefix}`)
  else await ensureImages(cluster, images, report)
}

async function providePlatform({ cluster, kubectl, images, isReal }: Stage): Promise<Platform> {
  if (!isReal) {
    heading('The operator, as a process of this machine: here is no node that could run it')
    return startOperator(cluster, kubectl, report)
  }
  heading('The operator, installed by its Helm chart')
  const platform = await installOperator(cluster, kubectl, images, report)
  show(await kubectl.text('-n', platformNamespace, 'get', 'pods'))
  return platform
}

/** A cluster that we were given pulls its images; which registry we may push to, only its owner knows. */
async function refuseWithoutImages(cluster: Cluster, images: DemoImages): Promise<never> {
  const files = await writeImages(join(layoutOf(cluster.name).folder, 'images'), images)
  throw new Error(
    `the cluster of KUBECONFIG must be able to pull the images. They are in these files:\n  ${files.join('\n  ')}\n` +
      'Load them (docker load -i FILE, docker tag, docker push), or import them on its nodes, then run again with\n' +
      '  APPSTEAD_IMAGES=<registry and path they are pulled from>; appstead.local if they were imported as they are',
  )
}

async function deploy({ cluster, kubectl, images, isReal }: Stage): Promise<void> {
  heading(`An app: kubectl apply -f ${manifestPath}`)
  show(await applyHello(kubectl, images.hello('1')))
  await waitForRunning(kubectl, images.hello('1'), report)
  report('')
  show(await kubectl.text('get', 'appinstances'))
  if (!isReal) return
  const address = await addressOf(kubectl)
  const answer =
    cluster.provider === 'local' ? await askHello(address, report) : await askThroughPortForward(kubectl, report)
  sayAccess(cluster, address, report)
  report(`  > ${answer}`)
  requireVersion(answer, '1')
}

function requireVersion(answer: string, version: string): void {
  if (!answer.includes(`version ${version},`)) throw new Error(`version ${version} should answer; this did: ${answer}`)
}

async function update(stage: Stage): Promise<void> {
  const { kubectl, isReal } = stage
  heading(isReal ? 'An update, under constant requests of two clients' : 'An update')
  if (isReal) await updateUnderRequests(stage)
  else {
    await changeAndWait(stage)
    report(`  ${await sayPods(kubectl, instance)}; kwok plays them, so nobody answers requests`)
  }
  report('')
  show(await kubectl.text('get', 'appinstances'))
}

/** The walk of examples/errored; what runs at its end stays. */
async function walkErrored({ kubectl, images }: Stage): Promise<void> {
  const walk = { kubectl, image: images.hello('1'), project: 'default', report }
  await removeTaken(walk)
  heading("An instance that cannot be created: its namespace is another team's")
  await intoErrored(walk)
  report('')
  show(await kubectl.text('get', 'appinstances'))
  heading('One way out: give it up')
  await outByDeletion(walk)
  heading('The other: make it possible, and have it tried again')
  await intoErrored(walk)
  await outByRetry(walk)
  report('')
  show(await kubectl.text('get', 'apptasks'))
}

/** Where it can be shown: the database is a process of this machine. */
async function showShop({ cluster, kubectl, images, isReal }: Stage): Promise<void> {
  if (!isReal || cluster.provider !== 'local') return
  if (!mayStartPostgres()) {
    report('\n  examples/shop is left out: there is no PostgreSQL on this machine (Debian: apt-get install postgresql)')
    return
  }
  heading('A shop in prod, staging and dev, with a database from outside, a worker and a shared volume')
  await walkShop({ cluster, kubectl, images, report })
}

async function updateUnderRequests(stage: Stage): Promise<void> {
  const traffic = await startTraffic(stage)
  try {
    await traffic.begun(report)
    await changeAndWait(stage)
    await waitForDrain(stage.kubectl, stage.images.hello('2'), report)
    countRequests(await traffic.stop(), traffic.from, report)
  } finally {
    traffic.end()
  }
}

async function changeAndWait({ kubectl, images }: Stage): Promise<void> {
  const image = images.hello('2')
  report(`  $ kubectl patch appinstance ${instance} ${shellPatchOf(image)}`)
  show(await changeImage(kubectl, image))
  await waitForRunning(kubectl, image, report)
}

async function startTraffic({ cluster, kubectl, images }: Stage): Promise<Traffic> {
  const address = await addressOf(kubectl)
  return cluster.provider === 'local' ? sendFromHost(address) : sendFromPod(kubectl, images.hello('1'), address)
}

function heading(text: string): void {
  report(`\n== ${text}`)
}

function show(text: string): void {
  sayOutput(text, report)
}

try {
  await main()
} catch (error) {
  report(`\nThe demo stopped: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
