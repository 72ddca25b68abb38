import type { AppInstance } from '../operator/api/appInstance.ts'
import { appInstanceKind } from '../operator/api/appInstance.ts'
import { refOf } from '../operator/api/meta.ts'
import type { Cluster } from './cluster.ts'
import type { Call } from './command.ts'
import { nameOf } from './print.ts'

/** What a command changes of an instance: one field, of the very object that was looked at. */

/** How it is written. */
export interface Writing {
  /** The API server says whether it would take it, and nothing is stored. */
  readonly isDryRun: boolean
}

/** What --dry-run says. */
export const writingOf = (call: Call): Writing => ({ isDryRun: call.flag('dry-run') })

/** What follows the name of what was done: that it was not. */
export const unlessDone = ({ isDryRun }: Writing): string => (isDryRun ? ' (dry run)' : '')

/** `appinstance.appstead.dev/shop-prod`. */
export const named = (instance: AppInstance): string => nameOf({ type: appInstanceKind, object: instance })

/** Sets an annotation. Throws a KubeError, Conflict where the instance is another one by now. */
export async function annotate(
  { client }: Cluster,
  instance: AppInstance,
  [key, value]: readonly [string, string],
  writing: Writing,
): Promise<void> {
  const { metadata } = instance
  const all = metadata.annotations === undefined ? [{ op: 'add', path: '/metadata/annotations', value: {} }] : []
  const path = `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
  await client.patch(appInstanceKind, refOf(instance), [sameAs(instance), ...all, { op: 'add', path, value }], writing)
}

/** Sets a field of the spec. Throws a KubeError, also with what the API server has against it. */
export async function setField(
  { client }: Cluster,
  instance: AppInstance,
  [field, value]: readonly ['replicas', number] | readonly ['suspend', boolean],
  writing: Writing,
): Promise<void> {
  const operations = [sameAs(instance), { op: 'add', path: `/spec/${field}`, value }]
  await client.patch(appInstanceKind, refOf(instance), operations, writing)
}

/** Replaces what a promotion changes of the spec that was looked at. Throws a KubeError, Conflict where it is another one by now. */
export async function replaceSpec(
  { client }: Cluster,
  instance: AppInstance,
  spec: AppInstance['spec'],
  writing: Writing,
): Promise<AppInstance> {
  const { generation } = instance.metadata
  const parts = (['stack', 'image', 'services'] as const).filter((part) => spec[part] !== undefined)
  const operations = [
    sameAs(instance),
    { op: 'test', path: '/metadata/generation', value: generation },
    ...parts.map((part) => ({ op: 'add', path: `/spec/${part}`, value: spec[part] })),
  ]
  return (await client.patch(appInstanceKind, refOf(instance), operations, writing)) as AppInstance
}

const sameAs = ({ metadata: { uid } }: AppInstance): object => ({ op: 'test', path: '/metadata/uid', value: uid })
