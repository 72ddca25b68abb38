import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { crdFiles } from '../../../crds/crd.ts'
import * as builtin from '../../../operator/api/builtin.ts'
import { kinds } from '../../../operator/api/kinds.ts'
import type { ResourceType } from '../../../operator/api/meta.ts'
import { membersOf, type Members } from './json.ts'
import { shapeOfBuiltin, shapeOfKind, type Shape } from './shapes.ts'

/** A resource type as the double serves it. */
export interface Served {
  readonly type: ResourceType
  /** `plural.group` as in messages; `plural` for the core group. */
  readonly qualified: string
  readonly shape: Shape
  readonly hasStatus: boolean
  /** What the server takes a new object to have been before: a built-in kind has some of its objects from the first. */
  readonly blank: Members
  /** Whether metadata.generation counts the changes of what is neither metadata nor status. */
  readonly hasGeneration: boolean
  /** Of a custom kind: its OpenAPI schema, for defaults. */
  readonly schema: Members | undefined
}

const eventType: ResourceType = { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true }

const withStatus = new Set([
  'Namespace',
  'Service',
  'Pod',
  'Deployment',
  'Job',
  'PodDisruptionBudget',
  'PersistentVolumeClaim',
  'HorizontalPodAutoscaler',
  'ResourceQuota',
])
const blanks: Readonly<Record<string, Members>> = {
  Event: { involvedObject: {}, source: {} },
  Namespace: { spec: {}, status: {} },
  NetworkPolicy: { spec: { podSelector: {} } },
  PersistentVolumeClaim: { spec: { resources: {} }, status: {} },
  PodDisruptionBudget: { spec: {} },
  ResourceQuota: { spec: {}, status: {} },
  Service: { spec: {}, status: { loadBalancer: {} } },
}
const withGeneration = new Set([
  'Deployment',
  'Job',
  'PodDisruptionBudget',
  'NetworkPolicy',
  'CustomResourceDefinition',
])

function serve(type: ResourceType): Served {
  return {
    type,
    qualified: qualify(type),
    shape: shapeOfBuiltin(type.kind),
    hasStatus: withStatus.has(type.kind),
    blank: { metadata: {}, ...blanks[type.kind] },
    hasGeneration: withGeneration.has(type.kind),
    schema: undefined,
  }
}

function qualify({ plural, group }: ResourceType): string {
  return group === '' ? plural : `${plural}.${group}`
}

/** The generated CRDs. */
export const crds: readonly Members[] = readCrds()

function readCrds(): readonly Members[] {
  const folder = new URL('../../../crds/', import.meta.url)
  return crdFiles.map((name) => load(readFileSync(new URL(name, folder), 'utf8')) as Members)
}

interface CrdSpec {
  readonly names: { readonly kind: string }
  readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Members } }[]
}

function serveKind(type: ResourceType): Served {
  const crd = crds.map((each) => each['spec'] as CrdSpec).find(({ names }) => names.kind === type.kind)
  const schema = crd?.versions[0]?.schema.openAPIV3Schema
  if (schema === undefined) throw new TypeError(`no CRD of ${type.kind}`)
  const hasStatus = 'status' in membersOf(schema['properties'])
  return { ...serve(type), shape: shapeOfKind(schema), hasStatus, hasGeneration: true, schema }
}

const builtins = Object.values(builtin).filter((value) => typeof value === 'object')

/** Every type the double serves. */
export const served: readonly Served[] = [
  ...[...builtins, eventType].map(serve),
  ...kinds.map(({ group, version, kind, plural, namespaced }) =>
    serveKind({ group, version, kind, plural, namespaced }),
  ),
]

/** The served type of a kind; throws for another one. */
export function servedKind(kind: string): Served {
  const found = served.find(({ type }) => type.kind === kind)
  if (found === undefined) throw new TypeError(`the double serves no ${kind}`)
  return found
}
