/** Amounts of CPU and memory as strings, in the subset of Kubernetes' quantities that people write. */

/** Cores ("1", "0.5") or millicores ("250m"). */
export const cpuQuantity = /^([0-9]{1,6}m|[0-9]{1,3}([.][0-9]{1,3})?)$/
/** Bytes with a unit ("128Mi", "1.5Gi", "500M"); so few digits that the server, which counts in 64 bits, can compare them. */
export const memoryQuantity = /^([0-9]{1,9}([.][0-9]{1,3})?(k|Ki|M|Mi)|[0-9]{1,6}([.][0-9]{1,3})?(G|Gi|T|Ti))$/

/** Bytes of a volume: a whole number with a unit ("500Mi", "20Gi"), and not 0. */
export const volumeQuantity = /^[1-9][0-9]{0,5}(M|Mi|G|Gi|T|Ti)$/

const factors: Readonly<Record<string, bigint>> = {
  m: 1n,
  '': 1000n,
  k: 1000n ** 2n,
  M: 1000n ** 3n,
  G: 1000n ** 4n,
  T: 1000n ** 5n,
  Ki: 1000n * 1024n,
  Mi: 1000n * 1024n ** 2n,
  Gi: 1000n * 1024n ** 3n,
  Ti: 1000n * 1024n ** 4n,
}

/** The amount in millionths; 0 for what neither pattern allows. */
function millionths(quantity: string): bigint {
  const [, whole, fraction = '', unit = ''] =
    /^([0-9]+)(?:[.]([0-9]{1,3}))?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(quantity) ?? []
  const factor = factors[unit]
  if (whole === undefined || factor === undefined) return 0n
  return BigInt(whole + fraction.padEnd(3, '0')) * factor
}

/** Negative when a is smaller than b, 0 when they are the same amount, positive when it is larger. */
export function compareQuantities(a: string, b: string): number {
  const difference = millionths(a) - millionths(b)
  if (difference === 0n) return 0
  return difference < 0n ? -1 : 1
}

/** An amount, so many times. */
export interface Share {
  /** As one of the patterns has it, or 0. */
  readonly quantity: string
  readonly times: number
}

/** The sum in cores ("2") or, where that is no whole number, millicores ("250m"). */
export function cpuOf(shares: readonly Share[]): string {
  const millicores = upTo(sumOf(shares), 1000n)
  return millicores % 1000n === 0n ? String(millicores / 1000n) : `${millicores}m`
}

/** Units of bytes in which a sum is told, the largest first. */
const units = ['Ti', 'T', 'Gi', 'G', 'Mi', 'M', 'Ki', 'k'] as const

/** The sum in bytes, with the largest unit of which it is a whole number ("1536Mi"). */
export function memoryOf(shares: readonly Share[]): string {
  const bytes = upTo(sumOf(shares), millionthsOfOne)
  const unit = bytes === 0n ? undefined : units.find((each) => bytes % bytesIn(each) === 0n)
  return unit === undefined ? String(bytes) : `${bytes / bytesIn(unit)}${unit}`
}

const millionthsOfOne = 1_000_000n

function bytesIn(unit: (typeof units)[number]): bigint {
  return millionths(`1${unit}`) / millionthsOfOne
}

function sumOf(shares: readonly Share[]): bigint {
  return shares.reduce((sum, { quantity, times }) => sum + millionths(quantity) * BigInt(times), 0n)
}

/** Never less than there is. */
function upTo(amount: bigint, step: bigint): bigint {
  return (amount + step - 1n) / step
}
