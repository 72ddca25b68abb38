import { readFile } from 'node:fs/promises'
import { kinds } from '../operator/api/kinds.ts'
import { makeCrd, printCrd } from './crd.ts'
import { writeOrCheck, type Generated } from './generated.ts'
import { printReference } from './reference.ts'

/** Writes crds/<plural>.yaml of every kind and crds/REFERENCE.md, or checks them: see generated.ts. */

const read = (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), 'utf8')

/** What is generated in crds/. */
export async function generatedFiles(): Promise<Generated> {
  const bundle = JSON.parse(await read('package.json')) as { version: string }
  const crds = kinds.map((kind) => ({ kind, crd: makeCrd(kind, bundle.version) }))
  return new Map([
    ...crds.map(({ kind, crd }) => [`crds/${kind.plural}.yaml`, printCrd(crd)] as const),
    ['crds/REFERENCE.md', printReference(crds, await read('operator/api/meta.ts'))],
  ])
}

if (import.meta.main) await writeOrCheck(await generatedFiles())
