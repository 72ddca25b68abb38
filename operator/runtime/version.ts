/** True when `a` is a later version than `b` (semantic versioning); false when either is no version. */
export function isNewer(a: string, b: string): boolean {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  if (left === undefined || right === undefined) return false
  const difference = left.numbers.map((number, index) => number - right.numbers[index]!).find((each) => each !== 0)
  return difference === undefined ? comparePreReleases(left.preRelease, right.preRelease) > 0 : difference > 0
}

interface Version {
  readonly numbers: readonly number[]
  /** Empty for a release. */
  readonly preRelease: readonly string[]
}

function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text)
  if (match === null) return undefined
  return { numbers: match.slice(1, 4).map(Number), preRelease: match[4]?.split('.') ?? [] }
}

/** As semver.org, rule 11: a release is later than what came before it, numbers are lower than words. */
function comparePreReleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length
  for (const [index, left] of a.entries()) {
    const right = b[index]
    if (right === undefined) return 1
    const difference = compareParts(left, right)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function compareParts(a: string, b: string): number {
  const [left, right] = [Number(a), Number(b)]
  const areNumbers = [!Number.isNaN(left), !Number.isNaN(right)]
  if (areNumbers[0] && areNumbers[1]) return left - right
  if (areNumbers[0] !== areNumbers[1]) return areNumbers[0] ? -1 : 1
  return a === b ? 0 : a < b ? -1 : 1
}
