import type { Ref, ResourceType } from '../api/meta.ts'

/** URL path of all objects of a type, or of those in one namespace. */
export function collectionPath(type: ResourceType, namespace = ''): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
  const scope = type.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${type.plural}`
}

/** URL path of one object; throws a TypeError for a ref without a name, or without the namespace its type needs. */
export function objectPath(type: ResourceType, ref: Ref): string {
  if (ref.name === '' || (type.namespaced && ref.namespace === '')) {
    throw new TypeError(
      `${type.kind} needs a name${type.namespaced ? ' and a namespace' : ''}: '${ref.namespace}/${ref.name}'`,
    )
  }
  return `${collectionPath(type, ref.namespace)}/${encodeURIComponent(ref.name)}`
}

/** A query string with its question mark; '' when nothing is set. */
export function queryOf(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') parts.push(`${name}=${encodeURIComponent(value)}`)
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}
