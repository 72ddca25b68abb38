import { spawn, type StdioOptions } from 'node:child_process'
import { constants } from 'node:os'
import { text } from 'node:stream/consumers'
import { CommandError, type Call } from './command.ts'

/** kubectl itself, for what it does well: terminals, and what an apply makes of an object. */

/** The options by which it finds the cluster of this call. */
export function clusterOptions(call: Call): readonly string[] {
  return ['kubeconfig', 'context'].flatMap((option) => {
    const value = call.text(option)
    return value === undefined ? [] : [`--${option}`, value]
  })
}

/** How it ended, and what it wrote where it wrote to us. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs it with this text as its input, or on our terminal where there is none. Throws a CommandError where there is no kubectl. */
export async function runKubectl(
  args: readonly string[],
  { purpose, input }: { purpose: string; input?: string },
): Promise<Ended> {
  const stdio: StdioOptions = input === undefined ? 'inherit' : 'pipe'
  const child = spawn('kubectl', args, { stdio })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', () => reject(new CommandError(`${purpose} needs kubectl in the PATH, and there is none`)))
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
  // What it does not read is told by its end.
  child.stdin?.on('error', () => undefined).end(input)
  const written = [child.stdout, child.stderr].map((stream) => (stream ? text(stream) : ''))
  const [code, stdout = '', stderr = ''] = await Promise.all([ended, ...written])
  return { code, stdout, stderr }
}
