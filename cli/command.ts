import type { ParseArgsOptionDescriptor } from 'node:util'

/** What a command is, and what it is given: all but main.ts is written against this, so that tests need no process. */

/** Of the process: kubectl's own, but that 3 says no to what was asked. */
export const exitCodes = {
  done: 0,
  /** It could not be done, or was not understood; stderr says why. */
  failed: 1,
  /** It was done, and what was looked at is not as it should be. */
  notSo: 3,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** An option, and what help says of it. */
export interface Option extends ParseArgsOptionDescriptor {
  /** What its value is, in capitals; for a boolean none. */
  readonly value?: string
  readonly about: string
  /** All values there are; completion offers them. */
  readonly oneOf?: readonly string[]
}

/** What a command is called with. */
export interface Call {
  /** The values of options that are texts. */
  text(name: string): string | undefined
  /** Those of an option that may stand several times. */
  texts(name: string): readonly string[]
  flag(name: string): boolean
  readonly positionals: readonly string[]
  readonly io: Io
}

/** Where output goes. */
export interface Io {
  /** Results, a whole text at once. */
  out(text: string): void
  /** Errors, and nothing else. */
  error(text: string): void
  /** The text in a colour, where there are colours. */
  paint(colour: Colour, text: string): string
}

export type Colour = 'red' | 'yellow' | 'green' | 'blue' | 'magenta' | 'cyan' | 'dim' | 'bold'

/** Out: the exit code; of what runs another program it may be any, its own. */
export type Run = (call: Call) => Promise<number>

/** One line of the table of commands. */
export interface Command {
  readonly name: string
  /** What follows the name, such as `NAME`. */
  readonly usage: string
  /** A whole call, without `kubectl appstead`. */
  readonly example: string
  readonly summary: string
  /** How many names it takes, from and to. */
  readonly positionals: readonly [number, number]
  readonly options: Readonly<Record<string, Option>>
  /** Its code is loaded only when it is called. */
  load(): Promise<Run>
}

/** What the user did wrong, or what stands in the way: one line on stderr and exit code 1, no stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
