import { kinds } from '../../operator/api/kinds.ts'
import type { KubeObject } from '../../operator/api/meta.ts'
import { labels } from '../../operator/api/meta.ts'
import { collectionPath } from '../../operator/kube/paths.ts'
import type { Admin } from './apiserver.ts'
import { leaksIn, remember, type Leak } from './canaries.ts'
import { typeOf } from './hands.ts'

interface List {
  readonly items: readonly (KubeObject & { readonly data?: Readonly<Record<string, string>> })[] | null
}

/** What we render, and what we say: whole, for a secret has no place anywhere in it. */
const shown = [
  'Event',
  'Namespace',
  'Deployment',
  'Pod',
  'Service',
  'ConfigMap',
  'NetworkPolicy',
  'PodDisruptionBudget',
]

/** What a Secret that says where a service runs has beside its secrets: the address and the names are no secret. */
const addresses = new Set(['host', 'port', 'username', 'user', 'dbname', 'database'])

/** Reads back the Secrets the product made, and looks for what is in them, and for all canaries, wherever anybody can read. */
export async function leaksInCluster(admin: Admin): Promise<readonly Leak[]> {
  const list = async (path: string): Promise<List> => {
    const { status, body } = await admin({ path })
    // A kind of ours may have been taken away by a test.
    if (status === 404) return { items: [] }
    if (status !== 200) throw new Error(`list ${path}: ${status} ${JSON.stringify(body)}`)
    return body as List
  }
  const selector = `?labelSelector=${encodeURIComponent(labels.instance)}`
  const secrets = await list(collectionPath(typeOf('Secret')) + selector)
  for (const { metadata, data = {} } of secrets.items ?? []) {
    for (const [key, value] of Object.entries(data)) {
      if (addresses.has(key)) continue
      remember(`${key} of Secret ${metadata.name}`, Buffer.from(value, 'base64').toString())
    }
  }
  const types = [...kinds, ...shown.map(typeOf)]
  const leaks = await Promise.all(
    types.map(async (type) => {
      const { items } = await list(collectionPath(type))
      return (items ?? []).flatMap((object) => {
        const { namespace = '', name } = object.metadata
        return leaksIn(`${type.kind} ${namespace}/${name}`, JSON.stringify(object))
      })
    }),
  )
  return leaks.flat()
}
