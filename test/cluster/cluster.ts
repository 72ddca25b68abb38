import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { ensureBinaries } from './binaries.ts'
import { isReachable, loadIntoKind, startKind, stopKind, takeGiven } from './foreignCluster.ts'
import { checkout, defaultName, isName, layoutOf, type Layout } from './layout.ts'
import { isUp, loadIntoNodes, startLocal, stopLocal } from './localCluster.ts'
import { withLock } from './lock.ts'
import { markedFolders } from './process.ts'
import { reportToTerminal, type Report } from './progress.ts'
import { startSecondNode, stopSecondNode } from './secondNode.ts'
import { chooseProvider, findGiven, readSurroundings, type Choice, type Surroundings } from './provider.ts'
import { connectionTo, readState, type Level, type Provider, type State } from './state.ts'

/** A cluster that runs. */
export interface Cluster {
  name: string
  level: Level
  provider: Provider
  /** The path of its kubeconfig. */
  kubeconfig: string
  /** The URL of its API server. */
  server: string
  /** The path of a kubectl of the cluster's version. */
  kubectl: string
  /** The API server's audit log, one JSON object per line and request; only a local cluster has one. */
  auditLog?: string
  /** The folder with the logs of its processes; only a local cluster has one. */
  logs?: string
  /** Whether it ran before it was asked for. */
  alreadyRan: boolean
}

/** What cluster is wanted; everything has a default. */
export interface Wanted {
  name?: string
  level?: Level
  /** The checkout whose cluster it is. */
  root?: string
  report?: Report
  /** For tests: what the choice of the provider looks at. */
  surroundings?: Surroundings
}

/**
 * Brings up a cluster, or takes the one of that name if it runs: then nothing is changed.
 * One that is half up is cleaned away first.
 * Throws when it runs at another level than the one asked for, when something it needs is missing,
 * and with the end of the log when a part of it does not come up.
 */
export async function startCluster(wanted: Wanted = {}): Promise<Cluster> {
  const { report = reportToTerminal, surroundings = readSurroundings() } = wanted
  const layout = layoutOf(wanted.name, wanted.root)
  return withLock(layout.lock, report, async () => {
    const { kubectl } = await ensureBinaries(['kubectl'], report)
    linkBinary(layout, 'kubectl', kubectl)
    const state = await findRunning(layout, kubectl)
    const given = findGiven(surroundings.environment)
    if (given !== undefined) {
      checkProvider(layout, state)
      return describe(layout, await takeGiven(layout, given, kubectl), kubectl, true)
    }
    if (state !== undefined) return describe(layout, checkLevel(layout, state, wanted.level), kubectl, true)
    const choice = await chooseProvider(wanted.level, surroundings)
    report(`cluster ${layout.name}: level ${choice.level}; ${choice.why}`)
    await clean(layout, readState(layout), report)
    return describe(layout, await bringUp(layout, choice, kubectl, report), kubectl, false)
  })
}

/** The state of the cluster if it runs. One that was given to an earlier call is not ours to take without being told. */
async function findRunning(layout: Layout, kubectl: string): Promise<State | undefined> {
  const state = readState(layout)
  if (state === undefined || state.provider === 'given') return undefined
  const runs = state.provider === 'local' ? isUp(layout, state) : isReachable(kubectl, layout.kubeconfig)
  return (await runs) ? state : undefined
}

const nameOption = (layout: Layout): string => (layout.name === defaultName ? '' : ` NAME=${layout.name}`)

function checkProvider(layout: Layout, running: State | undefined): void {
  if (running === undefined) return
  throw new Error(
    `APPSTEAD_USE_KUBECONFIG=1 asks for the cluster of KUBECONFIG, and cluster ${layout.name} runs here: ` +
      `remove that one first (make cluster-down${nameOption(layout)}), or choose another name (NAME=…)`,
  )
}

function checkLevel(layout: Layout, state: State, wanted: Level | undefined): State {
  if (wanted === undefined || wanted === state.level) return state
  throw new Error(
    `cluster ${layout.name} runs at level ${state.level}, not ${wanted}: ` +
      `remove it first (make cluster-down${nameOption(layout)}), or choose another name (make cluster LEVEL=${wanted} NAME=…)`,
  )
}

async function bringUp(layout: Layout, choice: Choice, kubectl: string, report: Report): Promise<State> {
  if (choice.engine !== undefined) return startKind(layout, choice.engine, kubectl, report)
  return startLocal(layout, choice.level, report)
}

/** Removes what is left of a cluster; a cluster that was given is only forgotten. */
async function clean(layout: Layout, state: State | undefined, report: Report): Promise<void> {
  if (state?.provider === 'kind') await stopKind(layout, state, report)
  else await stopLocal(layout)
  rmSync(layout.kubeconfig, { force: true })
}

function describe(layout: Layout, state: State, kubectl: string, alreadyRan: boolean): Cluster {
  const { level, provider, server } = state
  const own = provider === 'local' ? { auditLog: layout.auditLog, logs: layout.logs } : {}
  return { name: layout.name, level, provider, kubeconfig: layout.kubeconfig, server, kubectl, alreadyRan, ...own }
}

/** Keeps a link to a binary in `.cluster/bin`, for people. Clusters of one checkout start side by side: it is there at any time. */
export function linkBinary(layout: Layout, name: string, path: string): string {
  const link = join(layout.base, 'bin', name)
  mkdirSync(dirname(link), { recursive: true })
  const fresh = `${link}.${process.pid}`
  rmSync(fresh, { force: true })
  symlinkSync(path, fresh)
  renameSync(fresh, link)
  return link
}

/** What is to be removed: one cluster, or all of the checkout. */
export interface Unwanted {
  name?: string
  root?: string
  report?: Report
}

/**
 * Removes a cluster, or without a name all clusters of the checkout, with everything they made on this machine,
 * also when they are half up. Returns the names; running it again finds nothing and does nothing.
 */
export async function stopCluster(unwanted: Unwanted = {}): Promise<string[]> {
  const { root = checkout, report = reportToTerminal } = unwanted
  const names = unwanted.name === undefined ? clusterNames(root) : [unwanted.name]
  const stopped: string[] = []
  for (const name of names) {
    const layout = layoutOf(name, root)
    const known = existsSync(layout.folder) || markedFolders().has(layout.folder)
    await withLock(layout.lock, report, () => clean(layout, readState(layout), report))
    if (known) stopped.push(name)
  }
  removeBaseIfUnused(root)
  return stopped
}

/** The names of this checkout's clusters, as folders, locks (that a crash left) or running processes tell them. */
/** The names of all clusters of the checkout, also of those that are half up, sorted. */
export function clusterNames(root: string = checkout): string[] {
  const { base } = layoutOf(defaultName, root)
  const files = existsSync(base) ? readdirSync(base) : []
  const running = [...markedFolders()].filter((folder) => dirname(folder) === base).map((folder) => basename(folder))
  const names = [...files, ...running].map((file) => file.replace(/\.lock$/, ''))
  return [...new Set(names)].filter((name) => isName(name)).toSorted()
}

function removeBaseIfUnused(root: string): void {
  const { base } = layoutOf(defaultName, root)
  if (existsSync(base) && readdirSync(base).every((entry) => entry === 'bin')) rmSync(base, { recursive: true })
}

/**
 * Loads an image file that `makeImage` wrote into the node of a running cluster.
 * A relative path begins at the working directory. Throws when there is no such cluster, or when its nodes run no images.
 */
export async function loadImage(
  archive: string,
  { name, root, report = reportToTerminal }: Unwanted = {},
): Promise<void> {
  const layout = layoutOf(name, root)
  const state = readState(layout)
  if (state === undefined) throw new Error(`there is no cluster ${layout.name}: make cluster LEVEL=node`)
  if (state.provider === 'given') {
    throw new Error('the cluster of KUBECONFIG takes no image files: push the image to a registry that it pulls from')
  }
  if (state.level !== 'node')
    throw new Error(`cluster ${layout.name} is of level ${state.level}: only level node runs images`)
  // The node has a working directory of its own.
  const path = resolve(archive)
  if (state.provider === 'kind') await loadIntoKind(layout, state, path, report)
  else await loadIntoNodes(layout, path)
}

/**
 * Adds a second node, node-2, to a local cluster of level `node`; does nothing when it runs.
 * Throws when there is no such cluster, and with the end of the log when a part of the node does not come up.
 */
export async function addNode({ name, root, report = reportToTerminal }: Unwanted = {}): Promise<void> {
  const layout = layoutOf(name, root)
  await withLock(layout.lock, report, async () => {
    const state = readState(layout)
    if (state?.provider !== 'local' || state.level !== 'node')
      throw new Error(`cluster ${layout.name} is none of our own of level node, so it cannot have a second node`)
    await startSecondNode(layout, state, report)
  })
}

/** Takes the second node away, with what runs there: drain it first. Does nothing when there is none. */
export async function removeNode({ name, root, report = reportToTerminal }: Unwanted = {}): Promise<void> {
  const layout = layoutOf(name, root)
  await withLock(layout.lock, report, async () => {
    const state = readState(layout)
    if (state?.provider !== 'local' || state.level !== 'node') return
    await stopSecondNode(layout, connectionTo(layout, state.server))
  })
}
