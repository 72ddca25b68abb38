import type { KeyObject } from 'node:crypto'
import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { allowedConfigMapType, allowedSecretType } from '../../api/allowed.ts'
import type { AppInstance } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import { configMapType, secretType } from '../../api/builtin.ts'
import { canonical } from '../../api/canonical.ts'
import { annotations, hashKeyName, labels } from '../../api/meta.ts'
import type { KubeObject, Metadata, Ref, ResourceType } from '../../api/meta.ts'
import { similarNames } from '../../api/similar.ts'
import { isKubeError } from '../../kube/errors.ts'
import { Redacted } from '../../kube/secret.ts'
import type { References, SourceState, SourceValue } from '../../render/resolve/references.ts'
import { recordedReferences } from '../../render/resolve/references.ts'
import type { Ctx, Reader } from '../../runtime/controller.ts'
import { compareResourceVersions } from '../../runtime/resourceVersion.ts'
import { slim } from '../digests.ts'

/** Secrets and ConfigMaps of a project: their metadata from the cache, hashes of their values by one GET a change (ADR 0018). */

/** Values of one source in base64, for the reconcile that read them. */
export type Values = Redacted<Readonly<Record<string, string>>>

/** What a live look has shown; no value. */
interface Seen {
  /** undefined: it was gone. */
  readonly metadata: Metadata | undefined
  /** Of the object in the cache, when the look was taken. */
  readonly cachedVersion: string
  readonly values: ReadonlyMap<string, SourceValue>
}

/** What this process has read; it is asked again only for what has changed since. */
class Memory {
  readonly #seen = new Map<string, Seen>()
  #key: Promise<KeyObject> | undefined

  /** What was read and is not older than what the cache holds; undefined when it must be read. */
  of(project: string, source: string, cached: Metadata): Seen | undefined {
    const seen = this.#seen.get(`${project} ${source}`)
    if (!seen) return undefined
    const isNewer =
      seen.metadata?.uid === cached.uid &&
      compareResourceVersions(seen.metadata?.resourceVersion, cached.resourceVersion) >= 0
    return isNewer || seen.cachedVersion === cached.resourceVersion ? seen : undefined
  }

  remember(project: string, source: string, seen: Seen): void {
    this.#seen.set(`${project} ${source}`, seen)
  }

  forget(project: string, source: string): void {
    this.#seen.delete(`${project} ${source}`)
  }

  /** The key of all hashes, read or made once in the life of a process. */
  key(ctx: Ctx): Promise<KeyObject> {
    this.#key ??= readKey(ctx).catch((error: unknown) => {
      this.#key = undefined
      throw error
    })
    return this.#key
  }
}

const memories = new WeakMap<Reader, Memory>()

function memoryOf(cache: Reader): Memory {
  const known = memories.get(cache) ?? new Memory()
  memories.set(cache, known)
  return known
}

/** Without it anybody who sees a hash could try short secrets until one fits. Whoever makes it first has made it for all. */
async function readKey({ kube, home }: Ctx): Promise<KeyObject> {
  const ref = { namespace: home, name: hashKeyName }
  const held = (await kube.getLive(secretType, ref)) ?? (await makeKey({ kube }, ref))
  const { key } = (held as { data?: { key?: string } }).data ?? {}
  if (key === undefined) throw new TypeError(`Secret '${hashKeyName}' in namespace '${home}' has no key 'key'`)
  return createSecretKey(Buffer.from(key, 'base64'))
}

async function makeKey({ kube }: Pick<Ctx, 'kube'>, ref: Ref): Promise<KubeObject | undefined> {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: ref, immutable: true }
  const data = { key: randomBytes(32).toString('base64') }
  try {
    return await kube.create(secretType, { ...secret, data } as KubeObject)
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return kube.getLive(secretType, ref)
    throw error
  }
}

/**
 * The references that an instance may follow. In: the hub's cache, the instance, its releases, whose records save reading
 * what has not changed since. Reads the cache and nothing else.
 */
export function referencesOf(cache: Reader, instance: AppInstance, releases: readonly AppRelease[]): References {
  const memory = memoryOf(cache)
  const records = releases.map(({ spec }) => recordedReferences(spec.sources))
  const project = instance.metadata.namespace ?? ''
  return {
    lookUp(source): SourceState {
      const { allowed, name } = typesOf(source)
      const cached = cache.get<KubeObject>(allowed, { namespace: project, name })?.metadata
      if (!cached) {
        memory.forget(project, source)
        return { state: 'missing', similar: similarNames(name, allowedNames(cache, allowed, project)) }
      }
      const seen = memory.of(project, source, cached)
      if (seen && !seen.metadata) return { state: 'missing', similar: [] }
      const metadata = seen?.metadata ?? cached
      const refusal = refusalBy(metadata, instance)
      if (refusal) return refusal
      const { uid = '', resourceVersion = '' } = metadata
      if (seen) return { state: 'known', uid, resourceVersion, isWhole: true, values: seen.values }
      const unchanged = records
        .map((record) => record.lookUp(source))
        .filter((each) => each.state === 'known')
        .filter((each) => each.uid === uid && each.resourceVersion === resourceVersion)
      return unchanged.find(({ isWhole }) => isWhole) ?? unchanged[0] ?? { state: 'unread' }
    },
  }
}

function allowedNames(cache: Reader, type: ResourceType, project: string): string[] {
  return cache.byIndex<KubeObject>(type, 'namespace', project).map(({ metadata }) => metadata.name)
}

function refusalBy(
  { labels: marks, annotations: notes = {} }: Metadata,
  { metadata, spec }: AppInstance,
): SourceState | undefined {
  if (marks?.[labels.allow] !== 'true') return { state: 'missing', similar: [] }
  const refused = [
    { annotation: annotations.allowApps, allowed: notes[annotations.allowApps] ?? '', name: spec.app },
    { annotation: annotations.allowInstances, allowed: notes[annotations.allowInstances], name: metadata.name },
  ].find(({ allowed, name }) => allowed !== undefined && !namesIn(allowed).includes(name))
  return refused && { state: 'refused', annotation: refused.annotation, allowed: refused.allowed ?? '' }
}

function namesIn(list: string): string[] {
  return list.split(',').map((name) => name.trim())
}

function typesOf(source: string): {
  readonly type: ResourceType
  readonly allowed: ResourceType
  readonly name: string
} {
  const name = source.slice(source.indexOf('/') + 1)
  return source.startsWith('Secret/')
    ? { type: secretType, allowed: allowedSecretType, name }
    : { type: configMapType, allowed: allowedConfigMapType, name }
}

/**
 * Reads sources, each with one GET, so that referencesOf knows them.
 * Out: their values, of those that are there. Throws a KubeError.
 */
export async function readSources(
  ctx: Ctx,
  project: string,
  sources: readonly string[],
): Promise<ReadonlyMap<string, Values>> {
  if (sources.length === 0) return new Map()
  const key = await memoryOf(ctx.cache).key(ctx)
  const read = await Promise.all(
    sources.map(async (source) => {
      const { type, allowed, name } = typesOf(source)
      const ref = { namespace: project, name }
      const cachedVersion = ctx.cache.get<KubeObject>(allowed, ref)?.metadata.resourceVersion ?? ''
      const live = await ctx.kube.getLive(type, ref)
      learn(ctx.cache, { project, source, cachedVersion, live, key })
      return [source, new Redacted(live ? dataOf(live) : {})] as const
    }),
  )
  return new Map(read)
}

/** Remembers what a live look has shown, without the values. */
export function learn(
  cache: Reader,
  {
    project,
    source,
    cachedVersion,
    live,
    key,
  }: {
    readonly project: string
    readonly source: string
    readonly cachedVersion: string
    readonly live: KubeObject | undefined
    readonly key: KeyObject
  },
): void {
  const data = Object.entries(live ? dataOf(live) : {})
  const values = new Map(data.map(([name, value]) => [name, valueOf(key, [project, source, name], value)]))
  memoryOf(cache).remember(project, source, { metadata: live && slim(live), cachedVersion, values })
}

interface DataHolder {
  readonly data?: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
}

/** In base64, as copies have it. */
function dataOf(object: KubeObject): Record<string, string> {
  const { data = {}, binaryData = {} } = object as KubeObject & DataHolder
  if (object.kind === 'Secret') return { ...data }
  const texts = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  return { ...(Object.fromEntries(texts) as Record<string, string>), ...binaryData }
}

/** Of a variable: the kernel takes no more than 128 KiB of name and value together. */
const maxVariableBytes = 120 * 1024

/** Bound to where it stands: that two Secrets hold the same is nobody's business. */
function valueOf(key: KeyObject, place: readonly string[], value: string): SourceValue {
  const hash = createHmac('sha256', key)
    .update(canonical([...place, value]))
    .digest('hex')
    .slice(0, 16)
  return isForVariables(Buffer.from(value, 'base64')) ? { hash } : { hash, fileOnly: true }
}

function isForVariables(bytes: Buffer): boolean {
  if (bytes.length > maxVariableBytes || bytes.includes(0)) return false
  return Buffer.from(bytes.toString('utf8')).equals(bytes)
}
