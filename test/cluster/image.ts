import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import process from 'node:process'
import { checkout } from './layout.ts'
import { run, tryRun } from './process.ts'
import { writeTar, type Entry } from './tar.ts'

/** What is in an image and how it starts. */
export interface ImageSpec {
  /** Registry, path and tag, such as `appstead.local/hello:1`. */
  name: string
  /** From a path in the image to a file or folder of this machine (a folder is taken whole), or to text. */
  files?: Record<string, string | { text: string }>
  /** Leaves out what is found in the folders of `files`; given the path in the image. */
  without?: (path: string) => boolean
  /** Puts Node and the libraries it needs into the image; `node` is on the PATH. */
  node?: boolean
  /** Puts a static busybox into the image as /bin/busybox, with /bin/sh and the other names of its commands. */
  busybox?: boolean
  entrypoint: string[]
  arguments?: string[]
  environment?: Record<string, string>
  workingFolder?: string
  /** Who runs it: 65532, who is nobody on any machine, unless told otherwise. */
  user?: string
  ports?: number[]
}

/** An image that was made. */
export interface Image {
  name: string
  /** The file: an OCI layout that `docker load` understands as well. */
  path: string
  /** The digest of its manifest; the same content gives the same digest. */
  digest: string
}

const userId = 65532

type Entries = Map<string, Entry>

function addParents(entries: Entries, path: string): void {
  for (let folder = posix.dirname(path); folder !== '.' && folder !== '/'; folder = posix.dirname(folder)) {
    if (!entries.has(folder)) entries.set(folder, { kind: 'folder', path: folder, mode: 0o755 })
  }
}

function addText(entries: Entries, path: string, text: string): void {
  addParents(entries, path)
  entries.set(path, { kind: 'text', path, mode: 0o644, content: Buffer.from(text) })
}

/** Adds one file; a link is followed, so that a library is found under the name it is asked for. */
function addFile(entries: Entries, path: string, source: string): void {
  const { size, mode } = statSync(source)
  addParents(entries, path)
  entries.set(path, { kind: 'file', path, source, size, mode: mode & 0o100 ? 0o755 : 0o644 })
}

function addTree(entries: Entries, path: string, source: string, without: (path: string) => boolean): void {
  for (const name of readdirSync(source)) {
    const inside = posix.join(path, name)
    const outside = join(source, name)
    const status = lstatSync(outside)
    if (without(`/${inside}`)) continue
    if (status.isDirectory()) {
      addParents(entries, posix.join(inside, 'x'))
      addTree(entries, inside, outside, without)
    } else if (status.isSymbolicLink()) {
      addParents(entries, inside)
      entries.set(inside, { kind: 'link', path: inside, mode: 0o777, target: readlinkSync(outside) })
    } else if (status.isFile()) addFile(entries, inside, outside)
  }
}

/** The shared libraries of a program, and the loader; none for a static one. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await tryRun('ldd', [program])
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? '')
}

/** The Node of this checkout, or else the one that runs this. */
function findNode(): string {
  const own = join(checkout, 'node_modules', 'node', 'bin', 'node')
  return existsSync(own) ? own : process.execPath
}

async function addNode(entries: Entries): Promise<void> {
  const node = findNode()
  addFile(entries, 'usr/local/bin/node', node)
  for (const library of await librariesOf(node)) addFile(entries, library.slice(1), library)
}

async function addBusybox(entries: Entries): Promise<void> {
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
  if (busybox === undefined) throw new Error('there is no busybox: apt-get install busybox-static')
  if ((await librariesOf(busybox)).length > 0)
    throw new Error(`${busybox} is not static: apt-get install busybox-static`)
  addFile(entries, 'bin/busybox', busybox)
  for (const name of (await run(busybox, ['--list'])).trim().split('\n')) {
    if (name === 'busybox') continue
    entries.set(`bin/${name}`, { kind: 'link', path: `bin/${name}`, mode: 0o777, target: 'busybox' })
  }
}

async function makeEntries(spec: ImageSpec): Promise<Entry[]> {
  const entries: Entries = new Map()
  addText(entries, 'etc/passwd', `root:x:0:0::/:/bin/sh\nnonroot:x:${userId}:${userId}::/tmp:/bin/sh\n`)
  addText(entries, 'etc/group', `root:x:0:\nnonroot:x:${userId}:\n`)
  addText(entries, 'etc/nsswitch.conf', 'hosts: files dns\n')
  entries.set('tmp', { kind: 'folder', path: 'tmp', mode: 0o1777 })
  if (spec.node) await addNode(entries)
  if (spec.busybox) await addBusybox(entries)
  for (const [path, from] of Object.entries(spec.files ?? {})) {
    if (!posix.isAbsolute(path)) throw new Error(`${path}: a path in an image begins with /`)
    const inside = posix.normalize(path).slice(1)
    if (typeof from !== 'string') addText(entries, inside, from.text)
    else if (statSync(from).isDirectory()) addTree(entries, inside, from, spec.without ?? (() => false))
    else addFile(entries, inside, from)
  }
  return [...entries.values()].toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

function makeConfig(spec: ImageSpec, layer: string): unknown {
  const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', ...spec.environment }
  return {
    created: '1970-01-01T00:00:00Z',
    // Node and Go name the architectures differently.
    architecture: { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
    os: 'linux',
    config: {
      User: spec.user ?? `${userId}:${userId}`,
      Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      Entrypoint: spec.entrypoint,
      Cmd: spec.arguments ?? [],
      WorkingDir: spec.workingFolder ?? '/',
      ExposedPorts: Object.fromEntries((spec.ports ?? []).map((port) => [`${port}/tcp`, {}])),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'appstead test/cluster/image.ts' }],
  }
}

interface Blob {
  mediaType: string
  digest: string
  size: number
}

const blobPath = (blob: Blob): string => `blobs/sha256/${blob.digest.slice('sha256:'.length)}`
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const textEntry = (path: string, content: Buffer): Entry => ({ kind: 'text', path, mode: 0o644, content })

function makeBlob(mediaType: string, content: Buffer): Blob {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
  return { mediaType, digest, size: content.length }
}

/** The entries of an OCI layout with one image, and the manifest that older versions of `docker load` look for. */
function makeLayout(spec: ImageSpec, layer: Blob, layerFile: string): { entries: Entry[]; digest: string } {
  const config = json(makeConfig(spec, layer.digest.slice('sha256:'.length)))
  const configBlob = makeBlob('application/vnd.oci.image.config.v1+json', config)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = json({ schemaVersion: 2, mediaType, config: configBlob, layers: [layer] })
  const manifestBlob = makeBlob(mediaType, manifest)
  const annotations = {
    'io.containerd.image.name': spec.name,
    'org.opencontainers.image.ref.name': spec.name.slice(spec.name.lastIndexOf(':') + 1),
  }
  const index = json({ schemaVersion: 2, manifests: [{ ...manifestBlob, annotations }] })
  const legacy = json([{ Config: blobPath(configBlob), RepoTags: [spec.name], Layers: [blobPath(layer)] }])
  const entries: Entry[] = [
    textEntry('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    textEntry('index.json', index),
    textEntry('manifest.json', legacy),
    textEntry(blobPath(configBlob), config),
    textEntry(blobPath(manifestBlob), manifest),
    { kind: 'file', path: blobPath(layer), mode: 0o644, source: layerFile, size: layer.size },
  ]
  return { entries, digest: manifestBlob.digest }
}

/**
 * Makes an image of one layer and writes it to a file. The same files give the same digest, on every machine.
 * Throws when the name has no registry or no tag (a cluster would look for it elsewhere), or when a file is not there.
 */
export async function makeImage(spec: ImageSpec, path: string): Promise<Image> {
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?(\/[a-z0-9._-]+)+:[\w][\w.-]{0,127}$/.test(spec.name)) {
    throw new Error(
      `${JSON.stringify(spec.name)} is no image name with registry and tag, such as appstead.local/hello:1`,
    )
  }
  mkdirSync(dirname(path), { recursive: true })
  const layerFile = `${path}.layer`
  try {
    const { size, sha256 } = await writeTar(layerFile, await makeEntries(spec))
    const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${sha256}`, size }
    const { entries, digest } = makeLayout(spec, layer, layerFile)
    await writeTar(path, entries)
    return { name: spec.name, path, digest }
  } finally {
    rmSync(layerFile, { force: true })
  }
}

/** Lays the files of an image out in a folder, as a container that runs it finds them below /. Throws as makeImage does. */
export async function layOut(spec: ImageSpec, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const layerFile = join(folder, '.layer')
  try {
    await writeTar(layerFile, await makeEntries(spec))
    await run('tar', ['-xf', layerFile, '-C', folder])
  } finally {
    rmSync(layerFile, { force: true })
  }
}

/**
 * The packages that run in production, for `files`: from their place under `into` to their folder in the checkout.
 * Throws when one is not installed.
 */
export function productionPackages(root: string, into: string): Record<string, string> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }>
  }
  const files: Record<string, string> = {}
  for (const [place, { dev, devOptional, optional }] of Object.entries(lock.packages)) {
    if (place === '' || dev || devOptional) continue
    const folder = join(root, place)
    if (existsSync(folder)) files[posix.join(into, place)] = folder
    else if (!optional) throw new Error(`${place} is in package-lock.json and not installed: npm ci`)
  }
  return files
}
