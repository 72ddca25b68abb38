import type { Command, Option } from './command.ts'
import { commands, commonOptions } from './table.ts'

/** What `--help` says: of a command, or of all. */
export function helpOf(command?: Command): string {
  if (!command) {
    const width = Math.max(...commands.map(({ name }) => name.length))
    return [
      'Looks at applications of Appstead and works with them.',
      '',
      'Usage: kubectl appstead COMMAND',
      '',
      ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
      '',
      'kubectl appstead COMMAND --help says more. Exit codes: 0 done, 1 failed, 3 not as it should be.',
      '',
    ].join('\n')
  }
  const options = Object.entries({ ...command.options, ...commonOptions }).map(
    ([name, option]) => [flagOf(name, option), option.about] as const,
  )
  const width = Math.max(...options.map(([flag]) => flag.length))
  return [
    command.summary,
    '',
    `Usage:   kubectl appstead ${command.name} ${command.usage}`.trimEnd(),
    `Example: kubectl appstead ${command.example}`,
    '',
    ...options.map(([flag, about]) => `  ${flag.padEnd(width)}  ${about}`),
    '',
  ].join('\n')
}

function flagOf(name: string, { short, value }: Option): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
}
