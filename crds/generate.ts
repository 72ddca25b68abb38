import { readFile, writeFile } from 'node:fs/promises'
import { kinds } from '../operator/api/kinds.ts'
import { makeCrd, printCrd } from './crd.ts'
import { printReference } from './reference.ts'

/**
 * Writes crds/<plural>.yaml of every kind and crds/REFERENCE.md.
 * `--check` writes nothing, names each file that differs from what would be written, and exits 1 if there is one.
 */

/** Every generated file: its URL and what must stand in it. */
export async function generatedFiles(): Promise<ReadonlyMap<URL, string>> {
  const bundle = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  const names = await readFile(new URL('../operator/api/meta.ts', import.meta.url), 'utf8')
  const crds = kinds.map((kind) => ({ kind, crd: makeCrd(kind, bundle.version) }))
  return new Map([
    ...crds.map(({ kind, crd }) => [new URL(`${kind.plural}.yaml`, import.meta.url), printCrd(crd)] as const),
    [new URL('REFERENCE.md', import.meta.url), printReference(crds, names)],
  ])
}

/** Paths of the files that differ from what would be written. */
export async function driftingFiles(files: ReadonlyMap<URL, string>): Promise<readonly string[]> {
  const differing: string[] = []
  for (const [url, text] of files) {
    const there = await readFile(url, 'utf8').catch(() => undefined)
    if (there !== text) differing.push(`crds/${url.pathname.split('/').at(-1)}`)
  }
  return differing
}

if (import.meta.main) {
  const files = await generatedFiles()
  if (process.argv.includes('--check')) {
    const differing = await driftingFiles(files)
    for (const path of differing)
      process.stderr.write(`${path} is not what operator/api says; run: node crds/generate.ts\n`)
    process.exitCode = differing.length === 0 ? 0 : 1
  } else {
    for (const [url, text] of files) await writeFile(url, text)
  }
}
