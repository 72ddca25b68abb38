import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { pack, type Header, type Pack } from 'tar-stream'

/** One entry of a tar file. */
export type Entry = { path: string; mode: number } & (
  | { kind: 'folder' }
  | { kind: 'link'; target: string }
  | { kind: 'text'; content: Buffer }
  | { kind: 'file'; source: string; size: number }
)

/** Times, owners and order never come from the machine, so equal content is equal bytes. */
function headerOf(entry: Entry): Pick<Header, 'name'> & Partial<Header> {
  const header = { name: entry.path, mode: entry.mode, mtime: new Date(0), uid: 0, gid: 0 }
  if (entry.kind === 'folder') return { ...header, type: 'directory', name: `${entry.path}/` }
  if (entry.kind === 'link') return { ...header, type: 'symlink', linkname: entry.target }
  return { ...header, type: 'file', size: entry.kind === 'text' ? entry.content.length : entry.size }
}

/** The content of a file of which a header already says the size; tar-stream would not say which file it was. */
async function* read(source: string, size: number): AsyncGenerator<Buffer> {
  let seen = 0
  for await (const chunk of createReadStream(source) as AsyncIterable<Buffer>) {
    seen += chunk.length
    if (seen > size) break
    yield chunk
  }
  if (seen !== size) throw new Error(`${source} had ${size} bytes and changed its size while it was packed`)
}

async function addEntries(tar: Pack, entries: Iterable<Entry>): Promise<void> {
  for (const entry of entries) {
    if (entry.kind === 'file') await pipeline(read(entry.source, entry.size), tar.entry(headerOf(entry)))
    else if (entry.kind === 'text') tar.entry(headerOf(entry), entry.content)
    else tar.entry(headerOf(entry))
  }
  tar.finalize()
}

/**
 * Writes a tar file and returns its size and SHA-256. Entries are written in the order given.
 * Throws, naming the file, when one cannot be read or has not the size that its entry says.
 */
export async function writeTar(path: string, entries: Iterable<Entry>): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256')
  let size = 0
  const measure = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  const tar = pack()
  await Promise.all([
    addEntries(tar, entries),
    pipeline(tar as AsyncIterable<Buffer>, measure, createWriteStream(path)),
  ])
  return { size, sha256: hash.digest('hex') }
}
