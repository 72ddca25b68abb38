import { commands, commonOptions } from './table.ts'

/**
 * What may come next on a command line, as kubectl asks an executable `kubectl_complete-appstead` for it: the words so
 * far, the last of them still to be completed. Out: one suggestion a line, and the directive that the shell adds no files.
 */
export function complete(words: readonly string[]): string {
  const last = words.at(-1) ?? ''
  const before = words.at(-2) ?? ''
  const suggestions = suggestionsFor(words, before).filter((each) => each.startsWith(last))
  // 4: no files where none is asked for; 0: the shell offers files.
  const isFile =
    commands.find(({ name }) => name === words[0])?.options['filename'] && ['-f', '--filename'].includes(before)
  return [...suggestions, isFile ? ':0' : ':4', ''].join('\n')
}

function suggestionsFor(words: readonly string[], before: string): readonly string[] {
  const command = commands.find(({ name }) => name === words[0])
  if (words.length <= 1) return ['help', ...commands.map(({ name }) => name)].toSorted()
  const options = Object.entries({ ...commonOptions, ...command?.options })
  const valued = options.find(([name, { short }]) => before === `--${name}` || before === `-${short}`)
  if (valued?.[1].type === 'string') return valued[1].oneOf ?? []
  if (words[0] === 'help') return commands.map(({ name }) => name)
  return options.map(([name]) => `--${name}`)
}
