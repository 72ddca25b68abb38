import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ensureHelm } from '../cluster/binaries.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { checkout } from '../cluster/layout.ts'
import { run, searchPath, tryRun } from '../cluster/process.ts'
import type { Block, Page } from './page.ts'
import { setups } from './walks.ts'

/** Walks pages as their readers do: word for word, in a shell, on a cluster. */

/** Where the commands of one page are typed. */
export interface Shell {
  /** A folder that looks like a clone of this repository; what the page has written to files lands in it. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** The namespace of its context, which for the page is `default`. */
  readonly project: string
  remove(): void
}

/** What the clone of a reader has. */
const shared = ['charts', 'cli', 'crds', 'examples', 'integrations', 'node_modules', 'operator', 'package.json']

/**
 * Opens a shell on a cluster, with the variables that the page says its reader has set. The project, a namespace of its own
 * so that pages can be walked side by side, is made if it is not there.
 */
export async function openShell(
  cluster: Cluster,
  project: string,
  given: Readonly<Record<string, string>> = {},
): Promise<Shell> {
  const folder = mkdtempSync(join(tmpdir(), 'appstead-docs-'))
  for (const name of shared) symlinkSync(join(checkout, name), join(folder, name))
  const [home, programs, kubeconfig] = ['home', 'home/programs', 'home/kubeconfig'].map((name) => join(folder, name))
  mkdirSync(programs!, { recursive: true })
  symlinkSync(cluster.kubectl, join(programs!, 'kubectl'))
  const helm = await ensureHelm(() => undefined)
  if (helm !== 'helm') symlinkSync(helm, join(programs!, 'helm'))
  symlinkSync(join(checkout, 'cli/main.ts'), join(programs!, 'kubectl-appstead'))
  const kubectl = ['--kubeconfig', cluster.kubeconfig]
  writeFileSync(kubeconfig!, await run(cluster.kubectl, [...kubectl, 'config', 'view', '--raw', '--flatten']))
  await run(cluster.kubectl, [
    '--kubeconfig',
    kubeconfig!,
    'config',
    'set-context',
    '--current',
    `--namespace=${project}`,
  ])
  await tryRun(cluster.kubectl, [...kubectl, 'create', 'namespace', project])
  const path = [programs!, join(checkout, 'node_modules/.bin'), ...searchPath].join(delimiter)
  const environment = { ...given, HOME: home!, PATH: path, KUBECONFIG: kubeconfig!, NO_COLOR: '1' }
  return { folder, environment, project, remove: () => rmSync(folder, { recursive: true }) }
}

/**
 * Does what a page says, or these sections of it: writes its files, runs its commands and compares what they print with what
 * the page shows. Rejects with the place on the page, what was run and what came instead.
 */
export async function walk(page: Page, shell: Shell, sections?: readonly string[]): Promise<void> {
  const text = setups[page.path]
  if (text !== undefined) await type({ place: 'test/docs/walks.ts', text, attributes: {} }, undefined, shell)
  const blocks = page.blocks.filter(({ section }) => sections === undefined || sections.includes(section))
  for (const [index, block] of blocks.entries()) {
    const { title } = block.attributes
    if (title !== undefined) writeFileSync(join(shell.folder, title), block.text)
    if (block.language === 'sh') await type(block, shownBelow(blocks, index), shell)
  }
}

/** What the page shows as the output of the commands of a block. */
function shownBelow(blocks: readonly Block[], index: number): string | undefined {
  const next = blocks[index + 1]
  return next?.language === 'text' && next.attributes['picture'] === undefined ? next.text : undefined
}

type Typed = Pick<Block, 'place' | 'text' | 'attributes'>

/** For what is looked at again until it is as the page shows it. */
const patienceMilliseconds = 45_000

async function type(block: Typed, shown: string | undefined, shell: Shell): Promise<void> {
  const deadline = Date.now() + (looksOnly(block.text) ? patienceMilliseconds : 0)
  for (;;) {
    const objection = await typeOnce(block, shown, shell)
    if (objection === '') return
    if (Date.now() > deadline) throw new Error(`${block.place}: ${block.text}${objection}`)
    await pause(500)
  }
}

/** Nothing is changed by these: a reader who sees another state than the page shows looks again. */
const looks =
  /^kubectl ((get|describe|explain|logs|top|auth can-i|appstead (why|tree|tasks|lint|render|doctor)) |.* --dry-run=server)/

function looksOnly(text: string): boolean {
  const commands = text.replaceAll('\\\n', ' ').trim().split('\n')
  return commands.every((command) => command.startsWith('#') || looks.test(command))
}

async function typeOnce({ text, attributes }: Typed, shown: string | undefined, shell: Shell): Promise<string> {
  // What one block exports, the next one has.
  const kept = join(shell.folder, 'home/exported')
  const script = `set -eo pipefail\ntouch ${kept}\n. ${kept}\nexec 2>&1\n${text}\nexport -p > ${kept}`
  const options = { cwd: shell.folder, env: { ...shell.environment }, timeoutMilliseconds: 240_000 }
  const { status, stdout } = await tryRun('bash', ['--noprofile', '--norc', '-c', script], options)
  const output = stdout.replaceAll(shell.project, 'default')
  if (status !== Number(attributes['exit'] ?? 0)) return `ended with ${status}:\n${output}`
  if (shown === undefined || matches(output, shown)) return ''
  return `printed\n${output}\nand the page shows\n${shown}`
}

/**
 * Whether an output is what a page shows: a line … stands for any lines, … within a line for any text; spaces and how
 * long something took do not count, and one hash is as good as another.
 */
export function matches(output: string, shown: string): boolean {
  const pattern = linesOf(shown).map((line) =>
    line === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(escape).join('.*')}\\n`,
  )
  return new RegExp(`^${pattern.join('')}$`).test(`${linesOf(output).join('\n')}\n`)
}

function linesOf(text: string): readonly string[] {
  return text.trim().split('\n').map(plain)
}

const escape = (text: string): string => RegExp.escape(text)

/** What differs each time is replaced: hashes of revisions, uids in names, names of pods, ages. */
function plain(line: string): string {
  return line
    .trim()
    .replaceAll(/\b(r\d+)-[0-9a-f]{5,6}\b/g, '$1-HASH')
    .replaceAll(/-[0-9a-f]{6}(?=\s|$)/g, '-HASH')
    .replaceAll(/-[0-9a-f]{5}-(r|create-|delete-|action-)(\d+)\b/g, '-UID-$1$2')
    .replaceAll(/-[b-df-hj-np-tv-xz2-9]{6,10}-[b-df-hj-np-tv-xz2-9]{5}\b/g, '-POD')
    .replaceAll(/(?<=^|\s)(\d+[smhd])+(?=\s|$)/g, 'AGE')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
    .replaceAll(/\s+/g, ' ')
}
