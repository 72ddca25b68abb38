import { parseSync } from '@swc/core'

/** Reads the catalogue in README.md, and finds what in it is not so. */

export interface Row {
  readonly number: number
  readonly fault: string
  readonly expected: string
  readonly shownBy: string
}

/** What the catalogue may refer to. */
export interface Known {
  /** The text of a file, by its path relative to test/faults; undefined when there is none. */
  readonly read: (path: string) => string | undefined
  readonly scenarios: readonly string[]
  readonly faults: readonly string[]
}

/** The rows of the catalogue's tables, in the order in which they stand. */
export function rowsOf(readme: string): Row[] {
  return readme.split('\n').flatMap((line) => {
    const [, number = '', fault = '', expected = '', shownBy = ''] = line.split('|').map((cell) => cell.trim())
    return /^\d+$/.test(number) ? [{ number: Number(number), fault, expected, shownBy }] : []
  })
}

/** Everything in the catalogue, and in the table of bugs below it, that does not hold, a line each. */
export function problemsOf(readme: string, known: Known): string[] {
  const links = linksOf(readme)
  const titles = new Map([...links].map(([name, path]) => [name, titlesIn(known.read(path))] as const))
  return [
    ...numbersMissing(rowsOf(readme)),
    ...[...links].flatMap(([name, path]) => (titles.get(name) ? [] : [`[${name}]: there is no ${path}`])),
    ...unused(readme, [...links.keys()]),
    ...cellsOf(readme).flatMap((cell) => problemsIn(cell, titles, known).map((problem) => `${cell.of}: ${problem}`)),
  ]
}

function numbersMissing(rows: readonly Row[]): string[] {
  const numbers = rows.map(({ number }) => number)
  const wanted = Array.from({ length: 70 }, (_, index) => index + 1)
  return numbers.join() === wanted.join() ? [] : [`the rows are not 1 to 70: ${numbers.join()}`]
}

/** The files that names in brackets stand for. */
function linksOf(readme: string): ReadonlyMap<string, string> {
  const lines = readme.matchAll(/^\[(?<name>[^\]]+)\]: (?<path>\S+)$/gm)
  return new Map([...lines].map(({ groups }) => [groups?.['name'] ?? '', groups?.['path'] ?? '']))
}

function unused(readme: string, names: readonly string[]): string[] {
  return names.filter((name) => readme.split(`[${name}]`).length < 3).map((name) => `[${name}]: nothing refers to it`)
}

interface Cell {
  /** The fault or the bug it is about. */
  readonly of: string
  readonly text: string
}

/** The cells that say what shows something. */
function cellsOf(readme: string): Cell[] {
  const rows = rowsOf(readme).map(({ number, shownBy }) => ({ of: `${number}`, text: shownBy }))
  const bugs = readme.split('\n## Bugs')[1] ?? ''
  const lines = bugs.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| What'))
  return [...rows, ...lines.map((line) => ({ of: line.split('|')[1]!.trim(), text: line.split('|')[3]!.trim() }))]
}

/** A word that says that no test is named because there can be none yet. */
const later = /\*(?:Open|Instance|Installed)\*|later issue|npm run faults/

function problemsIn(
  { text }: Cell,
  titles: ReadonlyMap<string, readonly string[] | undefined>,
  known: Known,
): string[] {
  const problems: string[] = []
  let current = ''
  for (const { groups } of text.matchAll(/\[(?<link>[^\]]+)\]|“(?<quote>[^”]*)”/g)) {
    const { link, quote = '' } = groups ?? {}
    if (link !== undefined) {
      current = link
      if (!titles.has(link)) problems.push(`no file is given for [${link}]`)
    } else if (!isTitle(quote, titles.get(current) ?? [])) problems.push(`no test “${quote}” in [${current}]`)
  }
  if (current === '' && !later.test(text)) problems.push('no test and no issue is named')
  return [...problems, ...unknownNames(text, known)]
}

/** What stands in backticks after [crashes] and [schedules], or after --scenario; and the faults in brackets. */
function unknownNames(text: string, { scenarios, faults }: Known): string[] {
  const named = [
    ...text.matchAll(/\[(?:crashes|schedules|crash)\](?: and \[schedules\])? of (?<list>(?:`[\w-]+`(?:, | and )?)+)/g),
  ]
  const inLists = named.flatMap(({ groups }) =>
    [...(groups?.['list'] ?? '').matchAll(/`([\w-]+)`/g)].map(([, name]) => name!),
  )
  const inCommands = [...text.matchAll(/--scenario ([\w-]+)/g)].map(([, name]) => name!)
  const drawn = [...text.matchAll(/\[schedules\] \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(', '))
  return [
    ...[...inLists, ...inCommands].filter((name) => !scenarios.includes(name)).map((name) => `no scenario ${name}`),
    ...drawn.filter((name) => !faults.includes(name)).map((name) => `no fault ${name}`),
  ]
}

/** Whether a quotation is part of a title; … stands for what is left out. */
function isTitle(quote: string, titles: readonly string[]): boolean {
  const parts = quote.split('…').map((part) => part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  const pattern = new RegExp(parts.join('.*'))
  return titles.some((title) => pattern.test(title))
}

interface Node {
  readonly type?: string
  readonly [member: string]: unknown
}

/** The names of the tests in a file, each after those of the groups around it. */
function titlesIn(source: string | undefined): readonly string[] | undefined {
  return source === undefined ? undefined : collect(parseSync(source, { syntax: 'typescript' }), '')
}

function collect(node: unknown, prefix: string): string[] {
  if (Array.isArray(node)) return node.flatMap((each) => collect(each, prefix))
  if (typeof node !== 'object' || node === null) return []
  const title = titleOf(node as Node)
  if (title === undefined) return Object.values(node).flatMap((each) => collect(each, prefix))
  const whole = `${prefix} ${title}`.trim()
  return [whole, ...Object.values(node).flatMap((each) => collect(each, whole))]
}

/** The first argument of `it(…)`, `describe(…)`, `it.each(…)(…)` and their kin. */
function titleOf({ type, callee, arguments: given }: Node): string | undefined {
  if (type !== 'CallExpression' || !isOfJest(callee as Node)) return undefined
  const first = (given as { expression: Node }[] | undefined)?.[0]?.expression
  if (first?.type === 'StringLiteral') return first['value'] as string
  return first?.type === 'TemplateLiteral' ? textOfTemplate(first) : undefined
}

function isOfJest({ type, value, object, callee }: Node): boolean {
  if (type === 'Identifier') return ['it', 'test', 'describe'].includes(value as string)
  if (type === 'MemberExpression') return isOfJest(object as Node)
  return type === 'CallExpression' && isOfJest(callee as Node)
}

function textOfTemplate({ quasis }: Node): string {
  return (quasis as { cooked: string }[]).map(({ cooked }) => cooked).join('%s')
}
