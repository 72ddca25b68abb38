import { KubeError } from './errors.ts'

const newline = 0x0a

/**
 * Cuts a stream of bytes into the values of its JSON lines. A character or line may be split over chunks anywhere.
 * Throws a KubeError: Malformed for a line that is no JSON or was cut off, TooLarge for one longer than `maxBytes`.
 */
export async function* parseLines(
  what: string,
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<unknown, void, undefined> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const rest = chunk.subarray(start, end)
      const line = pendingBytes === 0 ? rest : Buffer.concat([...pending, rest])
      pending = []
      pendingBytes = 0
      start = end + 1
      if (line.length > 0) yield parseLine(what, line)
    }
    if (start < chunk.length) pending.push(chunk.subarray(start))
    pendingBytes += chunk.length - start
    if (pendingBytes > maxBytes) throw new KubeError('TooLarge', `${what}: a line is longer than ${maxBytes} bytes`)
  }
  if (pendingBytes > 0) throw new KubeError('Malformed', `${what}: the stream ended within a line`)
}

function parseLine(what: string, line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch (error) {
    throw new KubeError('Malformed', `${what}: a line is no JSON`, { cause: error })
  }
}
