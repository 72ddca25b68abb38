import { applied, managedOf, updated, type Author } from './apply.ts'
import { isSame, membersOf, withMember, type Json, type Members } from './json.ts'
import { PatchRefused, withJsonPatch, withMergePatch } from './patches.ts'
import { keyIn, type Route } from './routes.ts'
import { servedKind, type Served } from './served.ts'
import {
  alreadyExists,
  applyConflict,
  conflict,
  invalid,
  namespaceTerminating,
  notFound,
  patchRefused,
  refusal,
  uidConflict,
  uidIsImmutable,
  versionConflict,
  type Answer,
} from './statuses.ts'
import type { Actor, Store } from './store.ts'
import { filledIn } from './storedForm.ts'

/** What a write works on. */
export interface Writing {
  readonly store: Store
  readonly route: Route
  readonly actor: Actor
  /** The time of day, as the server stamps it. */
  readonly now: string
  /** A random-looking ending of a generated name. */
  readonly suffix: () => string
}

/** Metadata as the double reads it. */
export interface Meta {
  readonly name: string
  readonly namespace?: string
  readonly generateName?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly { readonly uid: string }[]
}

export function metaOf(object: Members): Meta {
  return object['metadata'] as Meta
}

const namespaces = servedKind('Namespace')

/** POST. */
export function create(writing: Writing, body: Members): Answer {
  const { route, suffix } = writing
  const { generateName } = metaOf(body)
  const name = metaOf(body).name ?? `${generateName}${suffix()}`
  mustBeOpen(writing, name)
  const taken = writing.store.get(route.served, keyIn(route, name))
  if (taken) throw alreadyExists(route.served, name, metaOf(taken).deletionTimestamp !== undefined)
  const object = newObject(writing, name, body)
  const blank = { apiVersion: body['apiVersion'], kind: body['kind'], ...route.served.blank }
  const owned = updated(blank, object, route.served, authorOf(route))
  return { status: 201, body: storeNew(writing, name, owned) }
}

/**
 * Objects as they were stored when they were new: the server adds the defaults of their status when it reads them, and
 * so writes them when they are next written, even if that changes nothing else.
 */
const withoutStatus = new WeakSet<Members>()

function storeNew({ store, route, actor }: Writing, name: string, object: Members): Members {
  const stored = store.commit(route.served, keyIn(route, name), stamped(route.served, object), actor)
  if (route.served.schema !== undefined && 'status' in stored) withoutStatus.add(stored)
  return stored
}

/** What the server adds after it has noted who owns what. */
function stamped({ type: { kind } }: Served, object: Members): Members {
  if (kind === 'Namespace') return { ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }
  if (kind !== 'PersistentVolumeClaim') return object
  const { finalizers = [], ...metadata } = metaOf(object)
  const held = [...new Set([...finalizers, 'kubernetes.io/pvc-protection'])]
  return { ...object, metadata: { ...metadata, finalizers: held }, status: { phase: 'Pending' } }
}

function newObject({ store, route, now }: Writing, name: string, body: Members): Members {
  const { served, namespace } = route
  const { uid: _uid, resourceVersion: _version, managedFields: _fields, ...given } = membersOf(body['metadata'])
  const metadata = {
    ...given,
    name,
    ...(namespace === '' ? {} : { namespace }),
    uid: store.newUid(served, keyIn(route, name)),
    creationTimestamp: now,
    ...(served.hasGeneration ? { generation: 1 } : {}),
  }
  const object = { ...body, metadata }
  return filledIn(served, served.hasStatus && served.schema ? withMember(object, 'status', undefined) : object)
}

/** Objects are made only in a namespace that is there and not on its way out. */
function mustBeOpen({ store, route: { served, namespace } }: Writing, name: string): void {
  if (!served.type.namespaced) return
  const found = store.get(namespaces, `/${namespace}`)
  if (found === undefined) throw notFound(namespaces, namespace)
  if (metaOf(found).deletionTimestamp !== undefined) throw namespaceTerminating(served, name, namespace)
}

function authorOf({ query, subresource, served }: Route): Author {
  const manager = query.get('fieldManager') ?? 'unknown'
  if (subresource === 'status') return { manager, subresource, dropped: ['spec', 'metadata'] }
  return { manager, subresource, dropped: served.hasStatus ? ['status'] : [] }
}

/** PATCH, of whichever content type. */
export function patch(writing: Writing, contentType: string, body: Json): Answer {
  if (contentType === 'application/apply-patch+yaml') return apply(writing, body as Members)
  const { store, route } = writing
  const before = store.get(route.served, keyIn(route, route.name))
  if (before === undefined) throw notFound(route.served, route.name)
  return { status: 200, body: update(writing, before, patched(before, contentType, body)) }
}

function patched(before: Members, contentType: string, body: Json): Members {
  try {
    if (contentType === 'application/json-patch+json') return withJsonPatch(before, body as []) as Members
  } catch (error) {
    throw error instanceof PatchRefused ? patchRefused() : error
  }
  if (contentType === 'application/merge-patch+json') return withMergePatch(before, body) as Members
  throw refusal(415, 'UnsupportedMediaType', `the double takes no ${contentType}`)
}

/** Stores what a patch made of an object, if it differs from what it was. */
function update(writing: Writing, before: Members, wanted: Members): Members {
  const { route } = writing
  checkMeta(route, metaOf(before), metaOf(wanted))
  const whole = filledIn(route.served, onlyOf(route, before, wanted))
  const owned = updated(before, whole, route.served, authorOf(route))
  return settle(writing, before, withManagedOf(whole, owned))
}

function withManagedOf(object: Members, owned: Members): Members {
  return { ...object, metadata: { ...metaOf(object), managedFields: managedOf(owned) } }
}

function checkMeta({ served, name }: Route, before: Meta, wanted: Meta): void {
  if (wanted.uid !== undefined && wanted.uid !== before.uid) {
    throw uidIsImmutable(served, name, wanted.uid)
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== before.resourceVersion) {
    const why = 'the object has been modified; please apply your changes to the latest version and try again'
    throw conflict(served, name, why)
  }
  const added = (wanted.finalizers ?? []).filter((each) => !before.finalizers?.includes(each))
  if (before.deletionTimestamp !== undefined && added.length > 0) {
    const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((each) => JSON.stringify(each)).join(', ')}}`
    throw invalid(served, name, 'metadata.finalizers', why)
  }
}

/** What this way of writing may change; the rest stays as it was. */
function onlyOf({ served, subresource }: Route, before: Members, wanted: Members): Members {
  if (subresource === 'status') return withMember(before, 'status', wanted['status'])
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = membersOf(
    before['metadata'],
  )
  const fixed = { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation }
  const metadata = withoutUndefined({ ...membersOf(wanted['metadata']), ...fixed })
  const made = { ...wanted, metadata }
  return served.hasStatus ? withMember(made, 'status', before['status']) : made
}

function withoutUndefined(value: Members): Members {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}

/** Stores it with its new generation; nothing is stored when nothing differs, nothing is left when it may go. */
function settle({ store, route, actor }: Writing, before: Members, after: Members): Members {
  const { served, name } = route
  if (isSame(before, comparableTo(before, after)) && !withoutStatus.has(before)) return before
  const isBumped = served.hasGeneration && !isSame(contentOf(served, before), contentOf(served, after))
  const { generation = 0 } = metaOf(before)
  const next = isBumped ? { ...after, metadata: { ...metaOf(after), generation: generation + 1 } } : after
  if (!mayGo(next)) return store.commit(served, keyIn(route, name), next, actor)
  store.commit(served, keyIn(route, name), undefined, actor)
  // As it was asked for, though it is gone.
  return comparableTo(before, next)
}

function comparableTo(before: Members, after: Members): Members {
  return { ...after, metadata: { ...metaOf(after), resourceVersion: metaOf(before).resourceVersion } }
}

/** Whether nothing holds an object that is being deleted. */
export function mayGo(object: Members): boolean {
  const { deletionTimestamp, finalizers = [] } = metaOf(object)
  const held = membersOf(object['spec'])['finalizers'] as readonly string[] | undefined
  const isHeld = object['kind'] === 'Namespace' && (held?.length ?? 0) > 0
  return deletionTimestamp !== undefined && finalizers.length === 0 && !isHeld
}

/** What metadata.generation counts the changes of. */
function contentOf({ type: { kind } }: Served, object: Members): Members {
  const { metadata: _metadata, status: _status, ...content } = object
  return kind === 'Deployment' ? { ...content, annotations: metaOf(object).annotations ?? {} } : content
}

function apply(writing: Writing, body: Members): Answer {
  const { store, route } = writing
  const key = keyIn(route, route.name)
  const before = store.get(route.served, key)
  const author = { ...authorOf(route), force: route.query.get('force') === 'true' }
  const { uid } = metaOf(body)
  if (before === undefined) {
    if (uid !== undefined) {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
      throw conflict(route.served, route.name, why)
    }
    if (route.subresource !== '') throw notFound(route.served, route.name)
    mustBeOpen(writing, route.name)
    const object = newObject(writing, route.name, body)
    const managed = applied(route.served.blank, body, route.served, author) as Members
    return { status: 201, body: storeNew(writing, route.name, withManagedOf(object, managed)) }
  }
  const merged = applied(before, body, route.served, author)
  if (merged === 'conflict') throw applyConflict()
  checkMeta(route, metaOf(before), { ...metaOf(merged), ...(uid === undefined ? {} : { uid }) })
  const whole = filledIn(route.served, onlyOf(route, before, merged))
  return { status: 200, body: settle(writing, before, withManagedOf(whole, merged)) }
}

interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

function checkPreconditions(
  served: Served,
  { name, uid = '', resourceVersion = '' }: Meta,
  options: DeleteOptions,
): void {
  const { uid: wantedUid = uid, resourceVersion: wantedVersion = resourceVersion } = options.preconditions ?? {}
  if (wantedUid !== uid) throw uidConflict(served, name, wantedUid, uid)
  if (wantedVersion !== resourceVersion) throw versionConflict(served, name, wantedVersion, resourceVersion)
}

/** Of these the answer to DELETE is the object; of all others that it is gone. */
const toldWhenRemoved = new Set(['PersistentVolumeClaim', 'Pod', 'Service', 'ServiceAccount'])

/** DELETE. What finalizers hold stays, marked; a namespace stays until its content is gone. */
export function remove(writing: Writing, options: DeleteOptions): Answer {
  const { store, route, actor, now } = writing
  const { served, name } = route
  const before = store.get(served, keyIn(route, name))
  if (before === undefined) throw notFound(served, name)
  const { uid, generation, deletionTimestamp } = metaOf(before)
  checkPreconditions(served, metaOf(before), options)
  if (deletionTimestamp !== undefined) return { status: 200, body: before }
  const marked = {
    ...before,
    metadata: {
      ...metaOf(before),
      deletionTimestamp: now,
      deletionGracePeriodSeconds: 0,
      ...(generation === undefined ? {} : { generation: generation + 1 }),
    },
    ...(served.type.kind === 'Namespace' ? { status: { phase: 'Terminating' } } : {}),
  }
  if (!mayGo(marked)) return { status: 200, body: store.commit(served, keyIn(route, name), marked, actor) }
  store.commit(served, keyIn(route, name), undefined, actor)
  if (toldWhenRemoved.has(served.type.kind)) return { status: 200, body: before }
  const details = {
    name,
    ...(served.type.group === '' ? {} : { group: served.type.group }),
    kind: served.type.plural,
    uid,
  }
  return { status: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } }
}
