import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Report } from '../cluster/progress.ts'
import type { Kubectl } from './kubectl.ts'
import { waitFor, type Standing } from './wait.ts'

/** The instance of examples/hello; it runs in the namespace of the same name. */
export const instance = 'hello-dev'
const service = 'web'
export const manifestPath = 'examples/hello/hello.yaml'
const project = 'default'

/** Applies examples/hello/hello.yaml, with this image in place of its own; returns what kubectl said. */
export async function applyHello(kubectl: Kubectl, image: string): Promise<string> {
  const text = readFileSync(join(import.meta.dirname, '../..', manifestPath), 'utf8')
  return kubectl.apply(text.replace(/image: \S+/, `image: ${image}`))
}

/** Changes the instance's image; returns what kubectl said. */
export function changeImage(kubectl: Kubectl, image: string): Promise<string> {
  return kubectl.text('-n', project, 'patch', 'appinstance', instance, '--type=merge', '-p', patchOf(image))
}

/** What `kubectl patch` is given to change the image, as a shell takes it. */
export const shellPatchOf = (image: string): string => `--type=merge -p '${patchOf(image)}'`

const patchOf = (image: string): string => JSON.stringify({ spec: { image } })

/** Resolves when the instance says that it is Ready with this image, for the generation that it has now. */
export async function waitForRunning(kubectl: Kubectl, image: string, report: Report): Promise<void> {
  await waitFor(`${instance} to run ${image}`, 10, 180, report, async () =>
    standingOf(await kubectl.json<Instance>('-n', project, 'get', 'appinstance', instance), image),
  )
}

function standingOf({ metadata, status }: Instance, image: string): Standing {
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const isSeen = status.observedGeneration === metadata.generation
  const runs = status.services?.find(({ name }) => name === service)?.image === image
  if (!isSeen) return { isDone: false, text: 'the operator has not looked at it yet' }
  return { isDone: runs && ready?.status === 'True', text: `${status.phase}: ${ready?.message}` }
}

/** Resolves when no replica of an older version is left, so that the drain of the last one was seen too. */
export async function waitForDrain(kubectl: Kubectl, image: string, report: Report): Promise<void> {
  await waitFor('the old replica to drain and end', 15, 90, report, async () => {
    const { items } = await kubectl.json<{ items: readonly Pod[] }>('-n', instance, 'get', 'pods')
    const old = items.filter(({ spec }) => spec.containers[0]?.image !== image)
    return { isDone: old.length === 0, text: old.length === 0 ? 'it has ended' : `${old.length} still drains` }
  })
}

/** The address of the main service inside of the cluster. */
export async function addressOf(kubectl: Kubectl): Promise<string> {
  const { spec } = await kubectl.json<Service>('-n', instance, 'get', 'service', service)
  return `http://${spec.clusterIP}:${spec.ports[0]?.port}`
}

/**
 * What hello answers on this URL. A node learns of the first endpoint of a Service up to a second after the replica is
 * ready, and refuses connections until then. Throws NotReached, with what came instead of an answer.
 */
export async function askHello(url: string, report: Report): Promise<string> {
  let answer = ''
  await waitFor(`the first answer of ${url}`, 1, 30, report, async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
      answer = (await response.text()).trim()
      return { isDone: response.ok, text: `${response.status}` }
    } catch (error) {
      return { isDone: false, text: String((error as Error).cause ?? error) }
    }
  })
  return answer
}

/** The arguments of a port-forward to hello, for people too. */
export const portForward = (port: string): readonly string[] => [
  '-n',
  instance,
  'port-forward',
  `service/${service}`,
  port,
]

/** Asks hello through a port-forward: for a cluster whose addresses this host does not reach. */
export async function askThroughPortForward(kubectl: Kubectl, report: Report): Promise<string> {
  const [path, ...fixed] = kubectl.command
  const child = spawn(path, [...fixed, ...portForward(':8080')], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    return await askHello(`http://127.0.0.1:${await forwardedPort(child)}`, report)
  } finally {
    child.kill()
  }
}

function forwardedPort(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout) {
      createInterface(child.stdout).on('line', (line) => {
        const port = /127\.0\.0\.1:(\d+) ->/.exec(line)?.[1]
        if (port !== undefined) resolve(port)
      })
    }
    child.once('error', reject)
    child.once('close', (status) => reject(new Error(`kubectl port-forward ended with ${status}`)))
  })
}

/** What is read of an AppInstance here. */
export interface Instance {
  readonly metadata: { readonly generation: number }
  readonly status: {
    readonly observedGeneration?: number
    readonly phase?: string
    readonly currentRelease?: { readonly number: number }
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[]
    readonly services?: readonly { readonly name: string; readonly image: string }[]
  }
}

interface Pod {
  readonly spec: { readonly containers: readonly { readonly image: string }[] }
}

interface Service {
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly port: number }[] }
}
