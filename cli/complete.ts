import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { commands, commonOptions } from './table.ts'

/**
 * What may come next on a command line, as kubectl asks an executable `kubectl_complete-appstead` for it: the words so
 * far, the last of them still to be completed, and what tells the names of instances. Out: one suggestion a line, and the
 * directive that the shell adds files only where one is asked for.
 */
export async function complete(
  words: readonly string[],
  instancesFor: (words: readonly string[]) => Promise<readonly string[]>,
): Promise<string> {
  const command = commands.find(({ name }) => name === words[0])
  const last = words.at(-1) ?? ''
  const before = words.at(-2) ?? ''
  const isName = command !== undefined && namesInstance(command, words.slice(1))
  const all = isName ? await instancesFor(words.slice(0, -1)) : suggestionsFor(command, words)
  const isFile = command?.options['filename'] !== undefined && ['-f', '--filename'].includes(before)
  return [...all.filter((each) => each.startsWith(last)), isFile ? ':0' : ':4', ''].join('\n')
}

function suggestionsFor(command: Command | undefined, words: readonly string[]): readonly string[] {
  if (words.length <= 1) return ['help', ...commands.map(({ name }) => name)].toSorted()
  if (words[0] === 'help') return commands.map(({ name }) => name)
  return optionBefore(command, words)?.oneOf ?? (optionBefore(command, words) ? [] : optionNames(command))
}

const optionNames = (command: Command | undefined): readonly string[] =>
  Object.keys({ ...commonOptions, ...command?.options }).map((name) => `--${name}`)

/** The option whose value comes next; undefined where none does. */
function optionBefore(command: Command | undefined, words: readonly string[]): Command['options'][string] | undefined {
  const before = words.at(-2) ?? ''
  const options = Object.entries({ ...commonOptions, ...command?.options })
  const found = options.find(([name, { short }]) => before === `--${name}` || (short && before === `-${short}`))
  return found?.[1].type === 'string' ? found[1] : undefined
}

/** Whether the last word stands where the name of an instance does. In: what follows the name of the command. */
function namesInstance(command: Command, words: readonly string[]): boolean {
  const last = words.at(-1)
  if (last === undefined || last.startsWith('-') || words.includes('--') || optionBefore(command, ['', ...words]))
    return false
  const options = { ...commonOptions, ...command.options }
  const { positionals } = parseArgs({ args: words.slice(0, -1), options, allowPositionals: true, strict: false })
  // Of a command that it runs nothing is known.
  const most = command.positionals[1] === Infinity ? 1 : command.positionals[1]
  return positionals.length < most
}
