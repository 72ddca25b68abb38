/** The few ASN.1 types that a certificate is made of, in DER (X.690). */

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

/** One element: tag, length, content. */
export function element(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), encodeLength(body.length), body])
}

export const sequence = (...content: Buffer[]): Buffer => element(0x30, ...content)
export const set = (...content: Buffer[]): Buffer => element(0x31, ...content)
export const octets = (content: Buffer): Buffer => element(0x04, content)
export const bits = (content: Buffer, unused = 0): Buffer => element(0x03, Buffer.from([unused]), content)
export const text = (value: string): Buffer => element(0x0c, Buffer.from(value, 'utf8'))
export const yes = (): Buffer => element(0x01, Buffer.from([0xff]))
/** `[n]` around content. */
export const tagged = (n: number, ...content: Buffer[]): Buffer => element(0xa0 | n, ...content)

/** A positive integer of these bytes. */
export function integer(bytes: Buffer): Buffer {
  return element(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}

/** An object identifier such as `2.5.4.3`. */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let more = Math.floor(arc / 128); more > 0; more = Math.floor(more / 128)) groups.unshift(0x80 | (more & 0x7f))
    bytes.push(...groups)
  }
  return element(0x06, Buffer.from(bytes))
}

/** A moment: UTCTime up to 2049 and GeneralizedTime after, as RFC 5280 wants it. */
export function moment(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}
