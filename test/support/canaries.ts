import { randomBytes } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import process from 'node:process'

/**
 * Canaries: secret values that tests plant, or that the product or the cluster makes, and that must not be seen in any
 * output. Planted ones begin with a prefix that is found without knowing them; the others are remembered as they are made,
 * in this process and, when `make test` runs it, in a file that `make test` reads at the end of the stage.
 */

const prefix = 'canary-in-the-mine-'
const fileVariable = 'APPSTEAD_CANARIES'

/** A secret that must not be seen, and what it is for people to read. */
interface Canary {
  readonly what: string
  readonly value: string
}

/** Where a secret was seen, and which; never the secret. */
export interface Leak {
  readonly where: string
  readonly what: string
}

/** A new secret value of a test's own. */
export function makeCanary(what: string): string {
  const value = prefix + randomBytes(12).toString('hex')
  remember(what, value)
  return value
}

const known = new Map<string, string>()

/** Has a secret that was made elsewhere looked for from now on. Short ones are part of any text, and are not. */
export function remember(what: string, value: string): void {
  if (value.length < 8 || known.has(value)) return
  known.set(value, what)
  const file = process.env[fileVariable]
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ what, value } satisfies Canary)}\n`)
}

/** The secrets in `text`, as they are, as base64 or as JSON writes them; of each the first time. */
export function leaksIn(where: string, text: string, secrets: Iterable<Canary> = knownCanaries()): readonly Leak[] {
  const seen = new Set<string>()
  for (const { what, value } of secrets) if (formsOf(value).some((form) => text.includes(form))) seen.add(what)
  if (seen.size === 0 && formsOf(prefix).some((form) => text.includes(form))) seen.add('a planted secret')
  return [...seen].map((what) => ({ where, what }))
}

function* knownCanaries(): Iterable<Canary> {
  for (const [value, what] of known) yield { what, value }
}

const forms = new Map<string, readonly string[]>()

/** A value as it may stand in a text. Inside of something that is base64 as a whole it may begin at any of three bits. */
function formsOf(value: string): readonly string[] {
  const made = forms.get(value) ?? [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    ...[0, 1, 2].map((shift) => {
      const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)])
      // Its first and last characters depend on what stands beside it.
      const whole = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64')
      return shift === 0 ? whole : whole.slice(4)
    }),
  ]
  forms.set(value, made)
  return made
}

/** Throws an Error that names all leaks; does nothing when there are none. */
export function failOnLeaks(leaks: readonly Leak[]): void {
  if (leaks.length === 0) return
  const lines = leaks.map(({ where, what }) => `  ${what} in ${where}`)
  throw new Error(`secrets were seen:\n${[...new Set(lines)].join('\n')}`)
}

/** The leaks in what processes wrote whose canaries were remembered in `file`. */
export function leaksInOutput(where: string, text: string, file: string): readonly Leak[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const secrets = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Canary)
  return leaksIn(where, text, secrets)
}

/** What a process must be given so that its canaries are remembered in `file`. */
export function rememberingIn(file: string): Record<string, string> {
  return { [fileVariable]: file }
}
