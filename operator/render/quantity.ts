/** Quantities as the API server keeps them: rendered so, what we apply and what we read back are the same text. */

const decimal = ['m', '', 'k', 'M', 'G', 'T', 'P', 'E']
const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
/** The server's largest amount with a binary unit, 2^63 - 1. */
const largest = 9_223_372_036_854_775_807_000n

/**
 * The server's own form of an amount: 1000m is 1, 0.5 is 500m, 1024Mi is 1Gi.
 * In: what cpuQuantity or memoryQuantity (api/quantity.ts) allows. Out: the same amount; other text as it is.
 */
export function canonicalQuantity(quantity: string): string {
  const [, whole, fraction = '', unit = ''] = /^([0-9]+)(?:[.]([0-9]{1,3}))?([A-Za-z]*)$/.exec(quantity) ?? []
  if (whole === undefined) return quantity
  const isBinary = unit !== '' && binary.includes(unit)
  if (!isBinary && !decimal.includes(unit)) return quantity
  const thousandths = BigInt(whole + fraction.padEnd(3, '0'))
  if (!isBinary) return withLargestUnit(thousandths * 1000n ** BigInt(decimal.indexOf(unit)), 1000n, ['u', ...decimal])
  const amount = smaller(thousandths * 1024n ** BigInt(binary.indexOf(unit)), largest)
  // Below 1024, and with a fraction of a byte, the server falls back to decimal units.
  if (amount < 1_024_000n || amount % 1000n !== 0n) return withLargestUnit(amount, 1000n, decimal)
  const rendered = withLargestUnit(amount / 1000n, 1024n, binary)
  // Of whole bytes that are no Ki the server leaves out the unit; read again, they are decimal.
  return rendered.endsWith('i') ? rendered : withLargestUnit(amount, 1000n, decimal)
}

function withLargestUnit(amount: bigint, base: bigint, units: readonly string[]): string {
  if (amount === 0n) return '0'
  const [unit = '', ...larger] = units
  return amount % base === 0n && larger.length > 0 ? withLargestUnit(amount / base, base, larger) : `${amount}${unit}`
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
