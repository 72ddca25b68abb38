import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = new URL('../../operator/', import.meta.url).pathname
const call = /\blog(?:\.(?:debug|info|warn|error)|\[[^\]]+\])\(/g

/** Every message the operator's source can log. Throws for a log call whose message is no string literal. */
export function logMessages(): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return files.flatMap((file) => messagesIn(file, readFileSync(join(folder, file), 'utf8')))
}

function messagesIn(file: string, source: string): string[] {
  return [...source.matchAll(call)].map((match) => {
    const last = lastArgument(source, match.index + match[0].length)
    const literal = /^'((?:[^'\\]|\\.)*)'$/.exec(last)
    if (literal === null) throw new Error(`${file} logs a message that is no string literal: ${last}`)
    return (literal[1] ?? '').replaceAll(/\\(.)/g, '$1')
  })
}

/** The text of the last argument of the call whose arguments begin at `start`. */
function lastArgument(source: string, start: number): string {
  let depth = 0
  let from = start
  let quote = ''
  for (let at = start; at < source.length; at += 1) {
    const char = source[at] ?? ''
    if (quote !== '') {
      if (char === '\\') at += 1
      else if (char === quote) quote = ''
    } else if (`'"\``.includes(char)) quote = char
    else if ('([{'.includes(char)) depth += 1
    else if (depth === 0 && char === ',' && !/^,\s*\)/.test(source.slice(at, at + 40))) from = at + 1
    else if (')]}'.includes(char)) {
      depth -= 1
      if (depth < 0) return source.slice(from, at).trim().replace(/,$/, '')
    }
  }
  throw new Error('the call does not end')
}
