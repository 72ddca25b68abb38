/**
 * Text of at most `limit` characters, with … for what was left out. Counted, and cut, in code points as the API server
 * does: half a character would come back as another one, and the status would be written again and again.
 */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text
  const characters = [...text]
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`
}

const similarNames = 3

/** Of `names` those that somebody may have meant who wrote `name`: the nearest first, at most three. */
export function nearest(name: string, names: readonly string[]): string[] {
  return names
    .map((each) => ({ each, distance: distanceOf(name, each) }))
    .filter(({ each, distance }) => distance <= Math.max(2, Math.min(name.length, each.length) / 3))
    .toSorted((a, b) => a.distance - b.distance || (a.each < b.each ? -1 : 1))
    .slice(0, similarNames)
    .map(({ each }) => each)
}

/** How many characters must be changed, added or left out to make one text of the other. */
function distanceOf(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1]
      const swap = above[column - 1]! + (isSame ? 0 : 1)
      line.push(Math.min(swap, above[column]! + 1, line[column - 1]! + 1))
    }
    above = line
  }
  return above[b.length]!
}
