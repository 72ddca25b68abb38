import { spawn } from 'node:child_process'
import { run, tryRun, type Finished } from '../cluster/process.ts'

/** kubectl on one cluster. */
export interface Kubectl {
  /** The command, for a process that is started elsewhere. */
  readonly command: readonly [string, ...string[]]
  /** Its output; throws with its own words when it fails. */
  text(...args: string[]): Promise<string>
  /** Its output as JSON; throws when it fails. */
  json<T>(...args: string[]): Promise<T>
  /** How it ended, however that was. */
  ask(...args: string[]): Promise<Finished>
  /** `kubectl apply` of this text, to this namespace where it names none; throws with kubectl's own words. */
  apply(manifest: string, namespace?: string): Promise<string>
}

/** The kubectl at this path, with this kubeconfig. */
export function makeKubectl(path: string, kubeconfig: string): Kubectl {
  const fixed = ['--kubeconfig', kubeconfig]
  return {
    command: [path, ...fixed],
    text: (...args) => run(path, [...fixed, ...args]),
    json: async <T>(...args: string[]) => JSON.parse(await run(path, [...fixed, ...args, '-o', 'json'])) as T,
    ask: (...args) => tryRun(path, [...fixed, ...args]),
    apply: (manifest, namespace = 'default') => apply(path, [...fixed, '--namespace', namespace], manifest),
  }
}

function apply(path: string, options: readonly string[], manifest: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, [...options, 'apply', '-f', '-'], { stdio: 'pipe' })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', reject)
    child.once('close', (status) => {
      if (status === 0) resolve(output)
      else reject(new Error(`kubectl apply ended with ${status}: ${output.trim()}`))
    })
    child.stdin.end(manifest)
  })
}
