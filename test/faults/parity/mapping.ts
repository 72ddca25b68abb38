import { isMembers, membersOf, type Json, type Members } from '../double/json.ts'

/**
 * Between the words of a recording and those of the real cluster it is replayed on: names get an ending, so that one
 * replay never meets what another left, and uids and resourceVersions are those the real server gave.
 */
export class Mapping {
  readonly #id: string
  readonly #uids = new Map<string, string>()
  readonly #versions = new Map<string, string>()
  readonly #recordedVersions = new Map<string, string>()

  constructor(id: string) {
    this.#id = id
  }

  /** Remembers that the double's object has these uid and resourceVersion, and the real server's those. */
  learn(recorded: Json, real: Json): void {
    const [a, b] = [metaOfAnswer(recorded), metaOfAnswer(real)]
    if (a.uid !== undefined && b.uid !== undefined) this.#uids.set(a.uid, b.uid)
    const [recordedVersion, version] = [a.resourceVersion, b.resourceVersion]
    // That of a list is the last of all objects, and on the real server there are others.
    if (recordedVersion === undefined || version === undefined || 'items' in membersOf(recorded)) return
    this.#versions.set(recordedVersion, version)
    this.#recordedVersions.set(version, recordedVersion)
  }

  /** Whether this resourceVersion of the double was learned. */
  knows(recordedVersion: string): boolean {
    return this.#versions.has(recordedVersion)
  }

  /** The resourceVersion that the double gave to what has this one on the real server; undefined when it was not learned. */
  recordedVersion(version: string): string | undefined {
    return this.#recordedVersions.get(version)
  }

  /** A text or path. */
  toReal(text: string): string {
    let mapped = text.replaceAll(/(?:\b|(?<=%[0-9A-F]{2}))(hello|shop)(?=\b|-)/g, `$1${this.#id}`)
    for (const [recorded, real] of this.#uids) mapped = mapped.replaceAll(recorded, real)
    return mapped.replace(/(?<=[?&]resourceVersion=)\d+/, (version) => this.#versions.get(version) ?? version)
  }

  bodyToReal(body: Json): Json {
    const mapped = JSON.parse(this.toReal(JSON.stringify(body))) as Json
    if (Array.isArray(mapped)) return mapped.map((operation: Members) => this.#withVersion(operation, 'value'))
    if (!isMembers(mapped)) return mapped
    const parts = ['metadata', 'preconditions'].filter((name) => name in mapped)
    const made = parts.map((name) => [name, this.#withVersion(membersOf(mapped[name]), 'resourceVersion')] as const)
    return { ...mapped, ...Object.fromEntries(made) }
  }

  /** With that of the real server, if this member is a resourceVersion that was learned. */
  #withVersion(value: Members, name: string): Members {
    const isOther = name === 'value' && value['path'] !== '/metadata/resourceVersion'
    const version = isOther ? undefined : this.#versions.get(value[name] as string)
    return version === undefined ? value : { ...value, [name]: version }
  }

  fromReal<T extends Json>(value: T): T {
    let text = JSON.stringify(value).replaceAll(new RegExp(`\\b(hello|shop)${this.#id}(?=\\b|-)`, 'g'), '$1')
    for (const [recorded, real] of this.#uids) text = text.replaceAll(real, recorded)
    const inRefusal = /(?<=ResourceVersion in (?:precondition|record) \()\d+/g
    text = text.replaceAll(inRefusal, (version) => this.#recordedVersions.get(version) ?? version)
    return JSON.parse(text) as T
  }
}

interface Known {
  readonly uid?: string
  readonly resourceVersion?: string
}

function metaOfAnswer(value: Json): Known {
  return membersOf(membersOf(value)['metadata'])
}
