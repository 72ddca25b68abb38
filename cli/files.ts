import { readFile } from 'node:fs/promises'
import { text as textOf } from 'node:stream/consumers'
import process from 'node:process'
import { CommandError, type Call } from './command.ts'

/** A file that was named with -f. */
export interface File {
  /** As it was named. */
  readonly file: string
  readonly text: string
}

/** Reads the files of -f, in their order. Throws a CommandError when there are none, or one cannot be read. */
export async function readFiles(call: Call): Promise<readonly File[]> {
  const names = call.texts('filename')
  if (names.length === 0) throw new CommandError('-f FILE is missing: which files? - is the standard input')
  const files: File[] = []
  for (const file of names) files.push({ file, text: await read(file) })
  return files
}

async function read(file: string): Promise<string> {
  if (file === '-') return textOf(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : `it cannot be read (${code})`
    throw new CommandError(`-f '${file}': ${why}`)
  }
}
