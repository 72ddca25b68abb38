import { isMembers, type Json } from '../double/json.ts'

/**
 * Between the words of a recording and those of the real cluster it is replayed on: names get an ending, so that one
 * replay never meets what another left, and uids are those the real server gave.
 */
export class Mapping {
  readonly #id: string
  readonly #uids = new Map<string, string>()

  constructor(id: string) {
    this.#id = id
  }

  /** Remembers that the double's object of this uid is the real server's of that one. */
  learn(recorded: Json, real: Json): void {
    const [a, b] = [uidOf(recorded), uidOf(real)]
    if (a !== undefined && b !== undefined) this.#uids.set(a, b)
  }

  toReal(text: string): string {
    let mapped = text.replaceAll(/\b(hello|shop)(?=\b|-)/g, `$1${this.#id}`)
    for (const [recorded, real] of this.#uids) mapped = mapped.replaceAll(recorded, real)
    return mapped
  }

  fromReal<T extends Json>(value: T): T {
    let text = JSON.stringify(value).replaceAll(new RegExp(`\\b(hello|shop)${this.#id}(?=\\b|-)`, 'g'), '$1')
    for (const [recorded, real] of this.#uids) text = text.replaceAll(real, recorded)
    return JSON.parse(text) as T
  }
}

function uidOf(value: Json): string | undefined {
  const metadata = isMembers(value) ? value['metadata'] : undefined
  return isMembers(metadata) ? (metadata['uid'] as string | undefined) : undefined
}
