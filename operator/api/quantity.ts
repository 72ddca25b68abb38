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
