import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'

/** Files that are made from other files of this repository, and committed: how they are written, and held to their source. */

const root = join(import.meta.dirname, '..')

/** By path in the repository, what must stand in each file. */
export type Generated = ReadonlyMap<string, string>

/**
 * What differs from what would be written: path and what is the matter with it.
 * In: the files, and the folders in which nothing else may lie.
 */
export async function findDrift(files: Generated, folders: readonly string[] = []): Promise<readonly string[]> {
  const drift: string[] = []
  for (const [path, text] of files) {
    const there = await readFile(join(root, path), 'utf8').catch(() => undefined)
    if (there === undefined) drift.push(`${path} is missing`)
    else if (there !== text) drift.push(`${path} is not what its source says`)
  }
  for (const path of await surplus(files, folders)) drift.push(`${path} has no source any more`)
  return drift
}

/**
 * What a generator does when it is run: writes its files, and removes what has no source any more. With `--check` it writes
 * nothing, names what differs, and exits 1 if anything does.
 */
export async function writeOrCheck(files: Generated, folders: readonly string[] = []): Promise<void> {
  if (!process.argv.includes('--check')) return write(files, folders)
  const drift = await findDrift(files, folders)
  for (const line of drift) process.stderr.write(`${line}; run: npm run generate\n`)
  process.exitCode = drift.length === 0 ? 0 : 1
}

async function write(files: Generated, folders: readonly string[]): Promise<void> {
  for (const path of await surplus(files, folders)) await rm(join(root, path))
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
}

async function surplus(files: Generated, folders: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(join(root, folder)).catch(() => [])
      return names.map((name) => `${folder}/${name}`)
    }),
  )
  return there.flat().filter((path) => !files.has(path))
}
