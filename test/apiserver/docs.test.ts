import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { startCluster, stopCluster, type Cluster } from '../cluster/cluster.ts'
import { run } from '../cluster/process.ts'
import { readPage } from '../docs/page.ts'
import { openShell, walk, type Shell } from '../docs/walk.ts'
import { installPage, kwokPages } from '../docs/walks.ts'
import { remember } from '../support/canaries.ts'
import { startOperatorProcess, type OperatorProcess } from '../support/operatorProcess.ts'
import { writeKubeconfig } from '../support/productCluster.ts'

/**
 * The pages that need no process to run in a pod: walked word for word on a cluster whose pods are kwok's. It is installed as
 * docs/install.md says, but for the operator: that is a process of this machine, under the account it was given there.
 */

const name = 'test-docs'
let cluster: Cluster
let operator: OperatorProcess
let shell: Shell

beforeAll(async () => {
  cluster = await startCluster({ name, level: 'kwok', report: () => undefined })
  shell = await openShell(cluster, 'install', { REPOSITORY: 'appstead.local/operator', TAG: 'docs' })
  await walk(readPage(installPage), shell, ['With Helm'])
  const kubectl = ['--kubeconfig', cluster.kubeconfig, '-n', 'appstead-system']
  const token = (await run(cluster.kubectl, [...kubectl, 'create', 'token', 'appstead', '--duration=10h'])).trim()
  remember("the operator's token", token)
  operator = await startOperatorProcess({ kubeconfig: writeKubeconfig(cluster, token) })
}, 900_000)

afterAll(async () => {
  await operator?.stop()
  shell?.remove()
  await stopCluster({ name, report: () => undefined })
}, 60_000)

/** They wait most of the time: so many at once are walked in little more than the time of the longest. */
const atOnce = 4

describe('the pages', () => {
  const walks = new Map<string, Promise<void>>()

  beforeAll(() => {
    const waiting = [...kwokPages]
    const ends = new Map(waiting.map((path) => [path, Promise.withResolvers<void>()] as const))
    for (const [path, { promise }] of ends) {
      // It is told by the test of the page, which may not have begun yet.
      promise.catch(() => undefined)
      walks.set(path, promise)
    }
    const walkNext = async (): Promise<void> => {
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        await walkAlone(path).then(ends.get(path)?.resolve, ends.get(path)?.reject)
      }
    }
    for (let worker = 0; worker < atOnce; worker++) void walkNext()
  })

  it.each(kwokPages)('%s', (path) => walks.get(path), 300_000)
})

async function walkAlone(path: string): Promise<void> {
  const own = await openShell(
    cluster,
    path
      .replaceAll(/^docs\/|\.md$/g, '')
      .toLowerCase()
      .replaceAll(/[^a-z]+/g, '-'),
  )
  try {
    await walk(readPage(path), own)
  } finally {
    own.remove()
  }
}

// The last: it takes away what the pages need.
describe(installPage, () => {
  it('is upgraded, uninstalled, and installed with kubectl alone', async () => {
    await walk(readPage(installPage), shell, ['Upgrade', 'Uninstall'])
    await operator.stop()
    await walk(readPage(installPage), shell, ['With kubectl alone'])
  }, 240_000)
})
