import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join, posix } from 'node:path'

const operator = join(import.meta.dirname, '../operator')

/** What names another file of ours. */
const relativeName = /'(\.{1,2}\/[^']*)\.ts'/g

/**
 * The operator's files as its image has them, from their path below `into` to their text: JavaScript, so that the program
 * which strips types is not part of every process (ADR 0003). Each stays as it is but for its types, which are blanks, and
 * its name and those of the files it imports: lines and columns are those of the source.
 */
export function operatorFiles(into: string): Record<string, { readonly text: string }> {
  const names = readdirSync(operator, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return Object.fromEntries(names.map((name) => [posix.join(into, scriptOf(name)), { text: textOf(name) }]))
}

function scriptOf(name: string): string {
  return name.replace(/\.ts$/, '.js')
}

function textOf(name: string): string {
  return stripTypeScriptTypes(readFileSync(join(operator, name), 'utf8')).replaceAll(relativeName, `'$1.js'`)
}
