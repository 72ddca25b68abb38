import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { removeNode, startCluster, type Cluster } from '../cluster/cluster.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { layoutOf, nodeOf } from '../cluster/layout.ts'
import { holderOf } from '../cluster/namespaces.ts'
import { runInside } from '../cluster/network.ts'
import { reportToTerminal } from '../cluster/progress.ts'
import { ensureImages, nameImages, type DemoImages } from '../demo/images.ts'
import { makeKubectl, type Kubectl } from '../demo/kubectl.ts'
import { installOperator } from '../demo/platform.ts'

/** The namespace of the Apps and AppInstances of these tests. */
export const project = 'shop'
/** The name of the operator's account in the audit log. */
export const operatorUser = 'system:serviceaccount:appstead-system:appstead'

/** A cluster with a real node and the operator as a pod, installed by the chart. */
export interface NodeWorld {
  readonly cluster: Cluster
  readonly kubectl: Kubectl
  readonly images: DemoImages
}

/**
 * The cluster of the node tests, with the operator of this work tree. Where no real node can run (it needs Linux and
 * root), it throws with what is missing: these tests fail there, they are never left out.
 */
export async function startNodeWorld(): Promise<NodeWorld> {
  const report = reportToTerminal
  const cluster = await startCluster({ name: 'test-node', level: 'node', report })
  // What a run before, when it was killed, may have left.
  await removeNode({ name: cluster.name, report })
  const kubectl = makeKubectl(cluster.kubectl, cluster.kubeconfig)
  await kubectl.text('uncordon', '--selector', 'kubernetes.io/hostname')
  const images = nameImages()
  await ensureImages(cluster, images, report)
  await installOperator(cluster, kubectl, images, report)
  await removeForeignClaims(kubectl)
  await removeProject(kubectl)
  await kubectl.text('create', 'namespace', project)
  return { cluster, kubectl, images }
}

/** With the instances of the file before, also where that was killed. Their pods, which nobody asks any more, are given no time to drain. */
async function removeProject(kubectl: Kubectl): Promise<void> {
  const linesOf = async (...args: string[]): Promise<readonly string[]> =>
    (await kubectl.text(...args, '-o', 'name')).split('\n').filter((line) => line !== '')
  for (const instance of await linesOf('-n', project, 'get', 'appinstances')) {
    // One that is going may be gone by now.
    await kubectl.ask('-n', project, 'patch', instance, '--type=merge', '-p', '{"spec":{"deletionProtection":false}}')
  }
  await kubectl.text('delete', 'namespace', project, '--ignore-not-found', '--wait=false')
  const leaving = ['--field-selector', 'status.phase=Terminating', '--selector', `appstead.dev/project=${project}`]
  await waitUntil('the instances of the file before are gone', 300, async () => {
    for (const name of await linesOf('get', 'namespaces', ...leaving)) {
      await kubectl.ask(
        'delete',
        'pods',
        '--all',
        '-n',
        name.replace('namespace/', ''),
        '--grace-period=1',
        '--wait=false',
      )
    }
    return (await linesOf('get', 'namespace', project, '--ignore-not-found')).length === 0
  })
}

/** Labels of what a test puts into an instance's namespace, and which holds up the instance's removal. */
export const foreign = { 'test.appstead.dev/foreign': 'true' }

/** Has the claims go that a test made in instances' namespaces: each when no pod uses it any more. */
export async function removeForeignClaims(kubectl: Kubectl): Promise<void> {
  const selector = Object.entries(foreign)
    .map((entry) => entry.join('='))
    .join()
  await kubectl.text('delete', 'persistentvolumeclaims', '--all-namespaces', '--selector', selector, '--wait=false')
}

/** What is read of an AppInstance here. */
export interface Instance {
  readonly metadata: { readonly generation: number }
  readonly status: {
    readonly observedGeneration?: number
    readonly phase?: string
    readonly pendingSummary?: string
    readonly counts?: { readonly summary: string }
    readonly currentRelease?: { readonly number: number }
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason: string
      readonly message: string
    }[]
    readonly services?: readonly { readonly name: string; readonly reason?: string; readonly message?: string }[]
  }
}

export function getInstance({ kubectl }: NodeWorld, name: string): Promise<Instance> {
  return kubectl.json<Instance>('-n', project, 'get', 'appinstance', name)
}

/** `status reason` and the message of a condition. */
export function conditionOf({ status }: Instance, type: string): { readonly state: string; readonly message: string } {
  const found = status.conditions?.find((condition) => condition.type === type)
  return { state: `${found?.status} ${found?.reason}`, message: found?.message ?? '' }
}

/** Resolves when it holds for the instance; rejects with how it stood last. */
export async function untilInstance(
  world: NodeWorld,
  name: string,
  holds: (instance: Instance) => boolean,
  seconds = 90,
): Promise<Instance> {
  let last: Instance | undefined
  await waitUntil(`the instance ${name}`, seconds, async () => {
    last = await getInstance(world, name)
    return last.status.observedGeneration === last.metadata.generation && holds(last)
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last?.status)}`)
  })
  return last as Instance
}

/** Runs a command on the first node, in its mounts and its network; throws with its words. */
export function onNode({ cluster }: NodeWorld, command: string, ...args: string[]): Promise<string> {
  const layout = layoutOf(cluster.name)
  const holder = holderOf(layout, nodeOf(layout, 1))
  if (holder === undefined) throw new Error('the node is no process of this machine')
  return runInside(holder, command, args)
}

/** Everything an instance's phase was since the start, until `stop`. */
export function followPhases(world: NodeWorld, name: string): Followed {
  return follow(world, ['-n', project, 'appinstance', name], '{.status.phase} {.status.counts.summary}')
}

/** What a watch tells of an object. */
export interface Followed {
  /** Each value that was another one than before. */
  readonly values: readonly string[]
  /** When each came, as performance.now() counts. */
  readonly times: readonly number[]
  stop(): void
}

/** Everything that the fields of an object were since the start, until `stop`. */
export function follow({ kubectl }: NodeWorld, object: readonly string[], fields: string): Followed {
  const [path, ...fixed] = kubectl.command
  const what = ['get', ...object, '--watch', '-o', `jsonpath=${fields}{"\\n"}`]
  const child: ChildProcess = spawn(path, [...fixed, ...what], { stdio: ['ignore', 'pipe', 'inherit'] })
  const values: string[] = []
  const times: number[] = []
  const hear = (line: string): void => {
    if (values.at(-1) === line) return
    values.push(line)
    times.push(performance.now())
  }
  if (child.stdout) createInterface(child.stdout).on('line', hear)
  return { values, times, stop: () => void child.kill() }
}

/** What people are promised of a cause (design/screen.md), in seconds; it takes a third of it at most. */
export const promisedSeconds = 60

/** How long after a moment (of performance.now()) a line that begins with the name of an instance, and has these parts, was told. */
export async function secondsUntilTold(
  told: Followed,
  { name, tells, since }: { readonly name: string; readonly tells: readonly string[]; readonly since: number },
): Promise<number> {
  const isIt = (value: string): boolean => value.startsWith(`${name} `) && tells.every((part) => value.includes(part))
  await waitUntil('the watch tells it, too', 10, () => Promise.resolve(told.values.some(isIt)))
  const seconds = (told.times[told.values.findIndex(isIt)]! - since) / 1000
  process.stderr.write(`${name}: told after ${seconds.toFixed(1)} s\n`)
  return seconds
}

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string }
  readonly status: {
    readonly phase: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly { readonly restartCount: number }[]
  }
}

/** Whether traffic is sent to a pod. */
export function isReady({ status }: Pod): boolean {
  return status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false
}

/** The living pods of a namespace, of one service if it is named. */
export async function podsOf({ kubectl }: NodeWorld, namespace: string, selector = ''): Promise<readonly Pod[]> {
  const which = selector === '' ? [] : ['-l', selector]
  const { items } = await kubectl.json<{ items: readonly Pod[] }>('-n', namespace, 'get', 'pods', ...which)
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

/** Kills the Node process of a pod of this machine's own node, without a word. */
export function killProcessOf(pod: Pod): void {
  signalProcessOf(pod, 'SIGKILL')
}

/** Sends a signal to the Node process of a pod of this machine's own node. */
export function signalProcessOf(pod: Pick<Pod, 'metadata'>, signal: NodeJS.Signals): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const victim = pids.find((pid) => {
    try {
      const isOfPod = readFileSync(join('/proc', pid, 'cgroup'), 'utf8').includes(`pod${pod.metadata.uid}`)
      return isOfPod && readFileSync(join('/proc', pid, 'cmdline'), 'utf8').startsWith('node\0')
    } catch {
      // It ended while we looked.
      return false
    }
  })
  if (victim === undefined) throw new Error(`no process of pod ${pod.metadata.name} on this machine`)
  process.kill(Number(victim), signal)
}

const closesAtOnce = `
  import { Server } from 'node:net'
  const { listen, close } = Server.prototype
  Server.prototype.listen = function (...where) {
    process.once('SIGTERM', () => close.call(this))
    return listen.apply(this, where)
  }`

/**
 * A variable with which a Node process takes no new connection from the moment it is told to end. The examples go on for a
 * while, most programs do not: whom the platform still sends to such a one is lost.
 */
export const hastyToLeave = {
  name: 'NODE_OPTIONS',
  value: `--import=data:text/javascript,${encodeURIComponent(closesAtOnce)}`,
}

/** What a client in a pod (client.mjs) says at its end. */
export interface Result {
  readonly how: string
  readonly answered: number
  readonly lost: readonly string[]
  readonly versions: Readonly<Record<string, number>>
  /** That answered. */
  readonly pods: readonly string[]
}

/** A client in a pod. */
export interface Client {
  readonly isOver: () => Promise<boolean>
  readonly result: () => Promise<Result>
  /** That one that goes on shall end. */
  readonly end: () => Promise<unknown>
}

/** Starts a client in a pod of the project: it ends after so many requests, or goes on from there until it is told to. */
export async function startClient(
  { kubectl, images }: NodeWorld,
  how: 'keep-alive' | 'fresh',
  url: string,
  count: number,
  { pauseMilliseconds = 8, goesOn = false } = {},
): Promise<Client> {
  const name = `client-${how}`
  const program = readFileSync(new URL('client.mjs', import.meta.url), 'utf8')
  const container = {
    name: 'client',
    image: images.hello('1'),
    imagePullPolicy: 'IfNotPresent',
    command: [
      'node',
      '--input-type=module',
      '--eval',
      program,
      url,
      String(count),
      how,
      `${pauseMilliseconds}`,
      `${goesOn}`,
    ],
  }
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'client' } },
    spec: { restartPolicy: 'Never', containers: [container] },
  }
  await kubectl.apply(JSON.stringify(pod), project)
  const phase = (): Promise<string> => kubectl.text('-n', project, 'get', 'pod', name, '-o', 'jsonpath={.status.phase}')
  await waitUntil(`${name} runs`, 60, async () => (await phase()) !== 'Pending')
  return {
    isOver: async () => ['Succeeded', 'Failed'].includes(await phase()),
    end: () => kubectl.text('-n', project, 'exec', name, '--', 'node', '--eval', `process.kill(1, 'SIGUSR2')`),
    result: async () => JSON.parse((await kubectl.text('-n', project, 'logs', name)).trim()) as Result,
  }
}
