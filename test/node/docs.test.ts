import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { ensureHelm } from '../cluster/binaries.ts'
import { run } from '../cluster/process.ts'
import { readPage } from '../docs/page.ts'
import { openShell, walk, type Shell } from '../docs/walk.ts'
import { nodePages } from '../docs/walks.ts'
import { operatorNamespace } from './operatorPods.ts'
import { project, startNodeWorld, type NodeWorld } from './world.ts'

/** The pages that need pods which run: walked word for word on a real node, on which Appstead is not yet installed. */

let world: NodeWorld
let shell: Shell

beforeAll(async () => {
  world = await startNodeWorld()
  const helm = await ensureHelm(() => undefined)
  const { kubeconfig } = world.cluster
  const where = ['-n', operatorNamespace, '--kubeconfig', kubeconfig]
  // Without its question: what files before have left is nothing to this one.
  await run(helm, ['uninstall', 'appstead', ...where, '--no-hooks', '--wait'])
  const { repository, tag } = world.images.operator
  shell = await openShell(world.cluster, project, { REPOSITORY: repository, TAG: tag })
}, 900_000)

afterAll(() => shell?.remove())

describe.each(nodePages)('%s', (path) => {
  it('is walked', () => walk(readPage(path), shell), 300_000)
})
