import { ResourceEventType, ResourceMetaImpl, type ResourceEvent, type ResourceMeta } from '@dot-i/k8s-operator'
import type { KubeObject } from './api/meta.ts'

/** What handlers of watchResource get: @dot-i's event, and for a modification the object as it was before. */
export interface ChangeEvent extends ResourceEvent {
  readonly before?: KubeObject
}

/**
 * The event for a change of a cache.
 * In: the type's plural, the object before and after; undefined is one that was not, or is no longer, there.
 * Out: undefined when it was neither. Throws an Error for an object without name or resourceVersion.
 */
export function makeChangeEvent(
  plural: string,
  before: KubeObject | undefined,
  after: KubeObject | undefined,
): ChangeEvent | undefined {
  if (after !== undefined) {
    const type = before === undefined ? ResourceEventType.Added : ResourceEventType.Modified
    return { ...makeResourceEvent(plural, type, after), ...(before === undefined ? {} : { before }) }
  }
  return before === undefined ? undefined : makeResourceEvent(plural, ResourceEventType.Deleted, before)
}

/** The object before and after the change of an event, as makeChangeEvent was given them. */
export function changeOf({ type, object, before }: ChangeEvent): [KubeObject | undefined, KubeObject | undefined] {
  const current = object as unknown as KubeObject
  return type === ResourceEventType.Deleted ? [current, undefined] : [before, current]
}

/** @dot-i's event about an object. Throws an Error for an object without name or resourceVersion. */
export function makeResourceEvent(plural: string, type: ResourceEventType, object: KubeObject): ResourceEvent {
  return { meta: metaOf(plural, object), type, object: theirs(object) }
}

/** How @dot-i names an object. Throws an Error for an object without name or resourceVersion. */
export function metaOf(plural: string, object: KubeObject): ResourceMeta {
  return ResourceMetaImpl.createWithPlural(plural, theirs(object))
}

/** client-node's types say Date where JSON has text, and let lists be changed that ours do not. */
function theirs(object: KubeObject): ResourceEvent['object'] {
  return object as unknown as ResourceEvent['object']
}
