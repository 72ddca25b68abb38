import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'

/** The command, as a process is started with it. */
export const main = join(import.meta.dirname, '../../../cli/main.ts')

/** What a process came to. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `kubectl appstead` with these words, and this text on its standard input. */
export function appstead(
  words: readonly string[],
  { input = '', env = {} }: { input?: string; env?: object } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 30_000 }
    const child = execFile(process.execPath, [main, ...words], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr })
    })
    child.stdin?.end(input)
  })
}
