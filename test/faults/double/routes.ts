import { served, type Served } from './served.ts'

/** What a path names. */
export interface Route {
  readonly served: Served
  /** '' for all namespaces, and for cluster-scoped objects. */
  readonly namespace: string
  /** '' for a collection. */
  readonly name: string
  /** `status`, or ''. */
  readonly subresource: string
  readonly query: URLSearchParams
}

const byPlural = new Map(served.map((each) => [`${each.type.group}/${each.type.version}/${each.type.plural}`, each]))

/** The Route of a path with its query; undefined when nothing is served there. */
export function routeOf(pathAndQuery: string): Route | undefined {
  const [path = '', query = ''] = pathAndQuery.split('?')
  const steps = path.split('/').slice(1).map(decodeURIComponent)
  const isCore = steps[0] === 'api'
  const [group, version] = isCore ? ['', steps[1]] : [steps[1], steps[2]]
  const rest = steps.slice(isCore ? 2 : 3)
  const isNamespaced = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize'
  const [plural, name = '', subresource = ''] = isNamespaced ? rest.slice(2) : rest
  const found = byPlural.get(`${group}/${version}/${plural}`)
  if (found === undefined) return undefined
  return {
    served: found,
    namespace: isNamespaced ? rest[1]! : '',
    name,
    subresource,
    query: new URLSearchParams(query),
  }
}

/** `namespace/name`, as the store keys objects. */
export function keyIn({ namespace }: Pick<Route, 'namespace'>, name: string): string {
  return `${namespace}/${name}`
}
