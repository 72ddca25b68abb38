import { randomBytes, createSecretKey } from 'node:crypto'
import type { AppInstance } from '../operator/api/appInstance.ts'
import { appInstanceKind } from '../operator/api/appInstance.ts'
import { configMapType, namespaceType, secretType } from '../operator/api/builtin.ts'
import { canonical } from '../operator/api/canonical.ts'
import { keyOf, refOf, type KubeObject, type ResourceType } from '../operator/api/meta.ts'
import { informers } from '../operator/controllers/informers.ts'
import { isKubeError } from '../operator/kube/errors.ts'
import { readerOf, withRevisions } from '../operator/preview.ts'
import type { Reader } from '../operator/runtime/controller.ts'
import type { Cluster } from './cluster.ts'

/** What the operator knows of a project and its instances, read with the rights of whoever asks. */

/** What stands in a project, and of its instances in their namespaces; of Secrets only who they are. */
export async function worldOf({ client, namespace }: Cluster): Promise<readonly KubeObject[]> {
  const { items } = await client.list(appInstanceKind, { namespace })
  const instances = items.map(({ metadata }) => metadata.name)
  const lists = informers
    .filter(({ type }) => type.kind !== namespaceType.kind)
    .flatMap(({ type, place, labelSelector, fieldSelector, metadataOnly }) => {
      const options = { labelSelector, fieldSelector, metadataOnly }
      const namespaces = !type.namespaced ? [''] : place === 'target' ? instances : [namespace]
      return namespaces.map(async (each) => (await client.list(type, { ...options, namespace: each })).items)
    })
  const named = ['kube-system', namespace, ...instances].map(async (name) => {
    try {
      return [await client.get(namespaceType, { namespace: '', name })]
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return []
      throw error
    }
  })
  return (await Promise.all([...named, ...lists])).flat()
}

/** The world when these objects are applied to it, as they would be stored. */
export async function appliedTo(
  { client }: Cluster,
  world: readonly KubeObject[],
  applied: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  const changed = await Promise.all(applied.map((object) => withoutSame({ client }, object)))
  const keys = new Set(changed.map(identityOf))
  const complete = changed.map((object) => ({
    ...object,
    metadata: { resourceVersion: '1', ...object.metadata },
  }))
  return [...world.filter((object) => !keys.has(identityOf(object))), ...complete]
}

export const identityOf = (object: KubeObject): string => `${object.kind} ${keyOf(refOf(object))}`

/** What the operator reads in such a world. Values that it did not record are told apart by a key of this moment. */
export function readerIn(world: readonly KubeObject[]): Reader {
  return readerOf(withRevisions(world), createSecretKey(randomBytes(32)))
}

/** The instances of a project. */
export function instancesIn(reader: Reader, namespace: string): readonly AppInstance[] {
  return reader.list<AppInstance>(appInstanceKind).filter(({ metadata }) => metadata.namespace === namespace)
}

interface Holder extends KubeObject {
  readonly data?: object
}

/** The operator has recorded what it read of a Secret or ConfigMap: one whose values stay is known by who it is. */
async function withoutSame({ client }: Pick<Cluster, 'client'>, object: Holder): Promise<KubeObject> {
  const type = [secretType, configMapType].find(({ kind }) => kind === object.kind)
  if (!type) return object
  const live = await liveOf(client, type, object)
  if (!live || canonical(live.data ?? {}) !== canonical(object.data ?? {})) return object
  const { data: _data, ...rest } = object
  return { ...rest, metadata: { ...rest.metadata, resourceVersion: live.metadata.resourceVersion ?? '' } }
}

async function liveOf(client: Cluster['client'], type: ResourceType, object: KubeObject): Promise<Holder | undefined> {
  try {
    return await client.get(type, refOf(object))
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined
    throw error
  }
}
