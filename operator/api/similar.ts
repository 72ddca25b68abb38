/** The names most like a mistyped one, best first, at most three; none where nothing is like it. */
export function similarNames(name: string, names: readonly string[]): string[] {
  const near = names
    .map((each) => ({ each, distance: distanceBetween(name, each) }))
    .filter(({ each, distance }) => distance <= Math.ceil(Math.max(name.length, each.length) / 3))
  return near
    .toSorted((a, b) => a.distance - b.distance || (a.each < b.each ? -1 : 1))
    .slice(0, 3)
    .map(({ each }) => each)
}

/** What follows a sentence that says what is not there: the names that somebody may have meant; '' without any. */
export function thereIs(similar: readonly string[]): string {
  return similar.length === 0 ? '' : `; there is ${similar.map((name) => `'${name}'`).join(', ')}`
}

/** How many names are listed when none is like the one that was given. */
const listedNames = 10

/** What follows a sentence that says that there is no such thing here: what may have been meant, else all there is. */
export function hintOf(name: string, names: readonly string[]): string {
  const similar = similarNames(name, names)
  if (similar.length > 0) return `did you mean ${similar.map((each) => `'${each}'`).join(' or ')}?`
  return `it has: ${names.slice(0, listedNames).join(', ')}${names.length > listedNames ? ', …' : ''}`
}

/** How many characters must be put in, left out or changed to make one text of the other. */
function distanceBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (const [row, character] of [...a].entries()) {
    const line = [row + 1]
    for (let column = 1; column <= b.length; column += 1) {
      const changed = (above[column - 1] ?? 0) + (b[column - 1] === character ? 0 : 1)
      line.push(Math.min(changed, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1))
    }
    above = line
  }
  return above[b.length] ?? 0
}
