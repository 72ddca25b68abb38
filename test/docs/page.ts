import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '../cluster/layout.ts'

/** A page of Markdown as the tests of the documents read it. */
export interface Page {
  /** Its path in the repository. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
  readonly links: readonly Link[]
  /** What a link may name behind a #. */
  readonly anchors: ReadonlySet<string>
}

/** A block of code, between fences or indented by four spaces. */
export interface Block {
  /** Such as `docs/quickstart.md:12`: of its first line. */
  readonly place: string
  /** `sh`, `yaml`, `text` and so on; '' without one. */
  readonly language: string
  /** What stands behind the language: `title=app.yaml` is `{ title: 'app.yaml' }`. */
  readonly attributes: Readonly<Record<string, string>>
  /** The heading of level 2 it stands under; '' before the first. */
  readonly section: string
  readonly text: string
}

/** A link to another place of the repository. */
export interface Link {
  readonly place: string
  /** As it is written, relative to the page. */
  readonly target: string
}

/** Reads a page of the repository. In: its path from the root. Throws when there is none, or a fence is not closed. */
export function readPage(path: string): Page {
  return parsePage(path, readFileSync(join(checkout, path), 'utf8'))
}

/** What a reader is in the middle of. */
interface Reading {
  section: string
  /** The block whose end has not come. */
  open: { readonly fence: string; readonly first: number; readonly info: string; readonly lines: string[] } | undefined
  readonly blocks: Block[]
  readonly links: Link[]
  readonly headings: string[]
}

/** The parts of a page. Throws when a fence is not closed. */
export function parsePage(path: string, text: string): Page {
  const reading: Reading = { section: '', open: undefined, blocks: [], links: [], headings: [] }
  const lines = text.split('\n')
  for (const [index, line] of [...lines, ''].entries())
    readLine(reading, path, { index, line, before: lines[index - 1] })
  if (reading.open?.fence === '```') throw new Error(`${path}:${reading.open.first}: the block is not closed`)
  const { blocks, links, headings } = reading
  return { path, text, blocks, links, anchors: anchorsOf(headings) }
}

interface Line {
  readonly index: number
  readonly line: string
  readonly before: string | undefined
}

function readLine(reading: Reading, path: string, { index, line, before = '' }: Line): void {
  const { open } = reading
  if (open !== undefined) {
    const isFenced = open.fence === '```'
    const isOfBlock = isFenced ? line !== '```' : /^( {4}|$)/.test(line)
    if (isOfBlock) return void open.lines.push(isFenced ? line : line.slice(4))
    reading.blocks.push(blockOf(path, reading.section, open))
    reading.open = undefined
    if (isFenced) return
  }
  const fence = /^```(.*)$/.exec(line)
  if (fence) reading.open = { fence: '```', first: index + 2, info: fence[1] ?? '', lines: [] }
  // Four spaces after text are a line of its paragraph, or of a list.
  else if (line.startsWith('    ') && before === '')
    reading.open = { fence: '    ', first: index + 1, info: '', lines: [line.slice(4)] }
  else readProse(reading, line, `${path}:${index + 1}`)
}

function readProse(reading: Reading, line: string, place: string): void {
  const [, level, heading = ''] = /^(#+) (.*)$/.exec(line) ?? []
  if (level !== undefined) reading.headings.push(heading)
  if (level === '##') reading.section = heading
  const found = line.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)
  for (const [, target = ''] of found) if (!/^[a-z]+:/.test(target)) reading.links.push({ place, target })
}

function blockOf(path: string, section: string, { first, info, lines }: NonNullable<Reading['open']>): Block {
  const [language = '', ...words] = info.trim().split(/\s+/)
  const attributes = words.map((word) => [word.split('=')[0] ?? '', word.slice(word.indexOf('=') + 1)] as const)
  return {
    place: `${path}:${first}`,
    language,
    attributes: Object.fromEntries(attributes),
    section,
    text: `${lines.join('\n').trimEnd()}\n`,
  }
}

/** As GitHub makes them of headings: words by dashes, a number behind what is there already. */
function anchorsOf(headings: readonly string[]): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const heading of headings) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-')
    let [unique, count] = [anchor, 0]
    while (anchors.has(unique)) unique = `${anchor}-${++count}`
    anchors.add(unique)
  }
  return anchors
}
