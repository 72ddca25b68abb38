import { parseArgs } from 'node:util'
import { similarNames, thereIs } from '../operator/api/similar.ts'
import { CommandError, type Call, type Command, type Option } from './command.ts'
import { commands, commonOptions } from './table.ts'

/** What the words of a command line mean, but for where output goes. */
export interface Parsed {
  readonly command: Command | undefined
  readonly call: Omit<Call, 'io'>
}

/** Reads a command line, or the beginning of one. Throws a CommandError that names what is not understood and what is. */
export function parse(words: readonly string[], { isWhole = true } = {}): Parsed {
  const [name, ...rest] = words
  const command = commands.find((each) => each.name === name)
  if (name !== undefined && !command && !name.startsWith('-') && name !== 'help') {
    const names = commands.map((each) => each.name)
    throw new CommandError(
      `unknown command '${name}'${thereIs(similarNames(name, names))}; kubectl appstead --help lists all`,
    )
  }
  const options = { ...commonOptions, ...command?.options }
  const { values, positionals } = parseOptions(command ? rest : words, options, command)
  const asked = name === 'help' ? commands.find((each) => each.name === positionals[1]) : undefined
  if (command && isWhole && values['help'] !== true) checkCount(command, positionals)
  return {
    command: command ?? asked,
    call: {
      text: (option) => values[option] as string | undefined,
      texts: (option) => (values[option] ?? []) as readonly string[],
      flag: (option) => values[option] === true || name === 'help',
      positionals,
    },
  }
}

function parseOptions(
  args: readonly string[],
  options: Readonly<Record<string, Option>>,
  command: Command | undefined,
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  const { values, positionals, tokens } = attempt(() =>
    parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true }),
  )
  for (const token of tokens.filter((each) => each.kind === 'option')) {
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    const of = command ? ` of ${command.name}` : ''
    if (!option) {
      const similar = similarNames(token.name, Object.keys(options)).map((each) => `--${each}`)
      throw new CommandError(`unknown option '${token.rawName}'${of}${thereIs(similar)}`)
    }
    if (option.type === 'boolean' && token.value !== undefined) {
      throw new CommandError(`${token.rawName}${of} takes no value: '${token.value}'`)
    }
    if (option.type === 'string' && token.value === undefined) {
      throw new CommandError(`${token.rawName}${of} needs a value: ${option.value}`)
    }
    if (option.oneOf && !option.oneOf.includes(token.value ?? '')) {
      throw new CommandError(`${token.rawName} '${token.value}' is not known: it must be ${option.oneOf.join(' or ')}`)
    }
  }
  return { values, positionals }
}

function attempt<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new CommandError((error as Error).message)
  }
}

function checkCount({ name, usage, positionals: [least, most] }: Command, given: readonly string[]): void {
  const surplus = given[most]
  if (surplus !== undefined)
    throw new CommandError(`'${surplus}' is too much; usage: kubectl appstead ${name} ${usage}`)
  if (given.length < least) throw new CommandError(`usage: kubectl appstead ${name} ${usage}`)
}
