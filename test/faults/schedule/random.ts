/** Seeded chance: equal seeds give equal draws. */
export interface Random {
  /** 0 to 1. */
  next(): number
  /** A whole number from `least` to `most`. */
  integer(least: number, most: number): number
  /** True in `share` of all draws. */
  chance(share: number): boolean
  pick<T>(items: readonly T[]): T
  /** Draws of its own, which do not depend on how many were made here. */
  fork(name: string): Random
}

/** The Random of a seed (mulberry32). */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    integer: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (share) => next() < share,
    pick: (items) => items[Math.floor(next() * items.length)]!,
    fork: (name) => makeRandom(hashOf(`${seed} ${name}`)),
  }
}

/** A whole number of 32 bits from a text (FNV-1a). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  return hash >>> 0
}
