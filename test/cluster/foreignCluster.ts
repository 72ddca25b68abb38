import { mkdirSync, rmSync } from 'node:fs'
import { ensureBinaries } from './binaries.ts'
import type { Layout } from './layout.ts'
import { run, tryRun } from './process.ts'
import { withProgress, type Report } from './progress.ts'
import { writeState, writeWhole, type State } from './state.ts'

/** The clusters that other software runs: kind's, and one that we were given. */

/** kind's name for our cluster; its containers are named after it. */
const kindName = (layout: Layout): string => `appstead-${layout.id}`

/** Whether the API server behind a kubeconfig answers. */
export async function isReachable(kubectl: string, kubeconfig: string): Promise<boolean> {
  const args = ['--kubeconfig', kubeconfig, '--request-timeout=5s', 'get', '--raw', '/readyz']
  return (await tryRun(kubectl, args, { timeoutMilliseconds: 10_000 })).status === 0
}

async function serverOf(kubectl: string, kubeconfig: string): Promise<string> {
  const jsonPath = 'jsonpath={.clusters[0].cluster.server}'
  return run(kubectl, ['--kubeconfig', kubeconfig, 'config', 'view', '--minify', '-o', jsonPath])
}

/** Takes the cluster of KUBECONFIG as it is: keeps a copy of the current context. Throws when it does not answer. */
export async function takeGiven(layout: Layout, given: string, kubectl: string): Promise<State> {
  const config = await run(kubectl, ['config', 'view', '--flatten', '--minify'], { env: { KUBECONFIG: given } })
  mkdirSync(layout.folder, { recursive: true, mode: 0o700 })
  writeWhole(layout.kubeconfig, config)
  const server = await serverOf(kubectl, layout.kubeconfig)
  if (!(await isReachable(kubectl, layout.kubeconfig))) {
    throw new Error(`the cluster of KUBECONFIG (${server}) does not answer; is it up, and may this user reach it?`)
  }
  const state: State = { level: 'node', provider: 'given', server }
  writeState(layout, state)
  return state
}

async function runKind(engine: string | undefined, args: string[], report: Report): Promise<void> {
  const { kind } = await ensureBinaries(['kind'], report)
  // Left alone kind takes the first engine that is installed, also one that does not answer.
  await run(kind, args, { env: { KIND_EXPERIMENTAL_PROVIDER: engine } })
}

/** Creates a cluster with kind. Throws with kind's own words; kind itself removes what it could not finish. */
export async function startKind(layout: Layout, engine: string, kubectl: string, report: Report): Promise<State> {
  mkdirSync(layout.folder, { recursive: true, mode: 0o700 })
  const state: State = { level: 'node', provider: 'kind', engine, server: '' }
  // Before there is anything, so that a crash half-way is found and removed.
  writeState(layout, state)
  const args = ['create', 'cluster', '--name', kindName(layout), '--kubeconfig', layout.kubeconfig, '--wait', '180s']
  try {
    await withProgress(report, 'kind creates a cluster', 90, () => runKind(engine, args, report))
  } catch (error) {
    rmSync(layout.folder, { recursive: true, force: true })
    throw error
  }
  const complete = { ...state, server: await serverOf(kubectl, layout.kubeconfig) }
  writeState(layout, complete)
  return complete
}

/** Deletes kind's cluster; one that is not there is no error. */
export async function stopKind(layout: Layout, { engine }: State, report: Report): Promise<void> {
  await runKind(engine, ['delete', 'cluster', '--name', kindName(layout)], report)
  rmSync(layout.folder, { recursive: true, force: true })
}

/** Loads an image file into kind's node. */
export async function loadIntoKind(layout: Layout, { engine }: State, archive: string, report: Report): Promise<void> {
  await runKind(engine, ['load', 'image-archive', archive, '--name', kindName(layout)], report)
}
