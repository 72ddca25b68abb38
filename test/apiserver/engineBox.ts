import type { Kind } from '../../operator/api/kind.ts'
import { keyOf, refOf, type KubeObject, type Ref, type ResourceType } from '../../operator/api/meta.ts'
import type { PooledKubeClient } from '../../operator/kube/restClient.ts'
import type { Controller, Reader, Report } from '../../operator/runtime/controller.ts'
import type { AnyInformer } from '../../operator/runtime/informers.ts'
import { configMapType, eventually, makeConfigMap } from './engineCluster.ts'

const crdType: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

/** A kind with a status, for controllers under test. */
export const boxKind = {
  group: 'engine.test',
  version: 'v1',
  kind: 'Box',
  plural: 'boxes',
  singular: 'box',
  namespaced: true,
} as unknown as Kind

export interface Box extends KubeObject {
  readonly spec: { readonly size?: number }
  readonly status?: Readonly<Record<string, unknown>>
}

/** Installs the CRD of Box and waits until it is served. */
export async function installBox(client: PooledKubeClient): Promise<void> {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } }
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'boxes.engine.test' },
    spec: {
      group: 'engine.test',
      names: { kind: 'Box', plural: 'boxes', singular: 'box', listKind: 'BoxList' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  }
  await client.apply(crdType, crd)
  await eventually(async () => (await client.list(boxKind)).items !== undefined)
}

export function makeBox(namespace: string, name: string, spec: Box['spec'] = {}): Box {
  return { apiVersion: 'engine.test/v1', kind: 'Box', metadata: { namespace, name }, spec }
}

const boxLabel = 'engine.test/box'

/** Boxes, and the ConfigMaps of boxes by `namespace/box`. */
export const informers: readonly AnyInformer[] = [
  { type: boxKind },
  { type: configMapType, labelSelector: boxLabel, indexes: { box: (child: KubeObject) => boxesOf(child).map(keyOf) } },
]

export const settled: Report<unknown> = { outcome: { kind: 'settled' } }

/** A controller of the boxes in one namespace, which wakes for its boxes and their ConfigMaps. */
export function makeController(
  namespace: string,
  reconcile: Controller<Box, unknown>['reconcile'],
  more: Partial<Controller<Box, unknown>> = {},
): Controller<Box, unknown> {
  const isHere = (object: KubeObject): boolean => object.metadata.namespace === namespace
  const watches = [
    { type: boxKind, keys: (box: KubeObject) => (isHere(box) ? [refOf(box)] : []) },
    { type: configMapType, keys: (child: KubeObject) => (isHere(child) ? boxesOf(child) : []) },
  ]
  return { kind: boxKind, watches, reconcile, ...more }
}

/** A ConfigMap of a box. */
export function makeChild(box: Box, name: string): KubeObject {
  return makeConfigMap(box.metadata.namespace ?? '', name, { labels: { [boxLabel]: box.metadata.name } })
}

/** The ConfigMaps of a box that the cache holds. */
export function childrenOf(cache: Reader, box: Box): readonly KubeObject[] {
  return cache.byIndex(configMapType, 'box', keyOf(refOf(box)))
}

/** The ConfigMaps of boxes that the API server holds in a namespace. */
export async function childrenIn(client: PooledKubeClient, namespace: string): Promise<readonly KubeObject[]> {
  const { items } = await client.list(configMapType, { labelSelector: boxLabel })
  return items.filter(({ metadata }) => metadata.namespace === namespace)
}

function boxesOf(child: KubeObject): readonly Ref[] {
  return [{ namespace: child.metadata.namespace ?? '', name: child.metadata.labels?.[boxLabel] ?? '' }]
}
