import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'

/** One entry of a tar file; times, owners and order never come from the machine, so equal content is equal bytes. */
export type Entry = { path: string; mode: number } & (
  | { kind: 'folder' }
  | { kind: 'link'; target: string }
  | { kind: 'text'; content: Buffer }
  | { kind: 'file'; source: string; size: number }
)

const block = 512
const typeFlags = { folder: '5', link: '2', text: '0', file: '0' }

function sizeOf(entry: Entry): number {
  if (entry.kind === 'text') return entry.content.length
  return entry.kind === 'file' ? entry.size : 0
}

/** A header of the ustar format. Text that is too long for its field is given in full by a record before it. */
function makeHeader(name: string, typeFlag: string, mode: number, size: number, target: string): Buffer {
  const header = Buffer.alloc(block)
  const writeText = (text: string, offset: number, length: number): void => {
    Buffer.from(text).copy(header, offset, 0, length)
  }
  const writeOctal = (value: number, offset: number, length: number): void =>
    writeText(value.toString(8).padStart(length - 1, '0'), offset, length)
  writeText(name, 0, 100)
  writeOctal(mode, 100, 8)
  writeOctal(0, 108, 8)
  writeOctal(0, 116, 8)
  writeOctal(size, 124, 12)
  writeOctal(0, 136, 12)
  writeText(' '.repeat(8), 148, 8)
  writeText(typeFlag, 156, 1)
  writeText(target, 157, 100)
  writeText('ustar\0', 257, 6)
  writeText('00', 263, 2)
  const sum = header.reduce((total, byte) => total + byte, 0)
  writeText(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8)
  return header
}

function padding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block)
}

/** A record of the pax format: its own length comes first and counts itself. */
function makeRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest) + 1
  while (Buffer.byteLength(`${length}${rest}`) !== length) length = Buffer.byteLength(`${length}${rest}`)
  return `${length}${rest}`
}

function* makeHeaders(entry: Entry): Generator<Buffer> {
  const name = entry.kind === 'folder' ? `${entry.path}/` : entry.path
  const target = entry.kind === 'link' ? entry.target : ''
  const records: string[] = []
  if (Buffer.byteLength(name) > 100) records.push(makeRecord('path', name))
  if (Buffer.byteLength(target) > 100) records.push(makeRecord('linkpath', target))
  if (records.length > 0) {
    const content = Buffer.from(records.join(''))
    yield makeHeader('long-name', 'x', 0o644, content.length, '')
    yield content
    yield padding(content.length)
  }
  yield makeHeader(name, typeFlags[entry.kind], entry.mode, sizeOf(entry), target)
}

async function* makeTar(entries: Iterable<Entry>): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    yield* makeHeaders(entry)
    if (entry.kind === 'text') yield entry.content
    if (entry.kind === 'file') yield* createReadStream(entry.source) as AsyncIterable<Buffer>
    yield padding(sizeOf(entry))
  }
  yield Buffer.alloc(2 * block)
}

/** Writes a tar file and returns its size and SHA-256. Entries are written in the order given. */
export async function writeTar(path: string, entries: Iterable<Entry>): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256')
  let size = 0
  const file = await open(path, 'w')
  try {
    for await (const chunk of makeTar(entries)) {
      hash.update(chunk)
      size += chunk.length
      await file.writeFile(chunk)
    }
  } finally {
    await file.close()
  }
  return { size, sha256: hash.digest('hex') }
}
