import { createSecretKey } from 'node:crypto'
import { appEnvKind } from '../../operator/api/appEnv.ts'
import type { AppInstance } from '../../operator/api/appInstance.ts'
import { appInstanceKind } from '../../operator/api/appInstance.ts'
import { configMapType, namespaceType, secretType } from '../../operator/api/builtin.ts'
import { kinds } from '../../operator/api/kinds.ts'
import { keyOf, refOf, type KubeObject } from '../../operator/api/meta.ts'
import { defaultEnvs } from '../../operator/controllers/appEnv/defaultEnvs.ts'
import { previewOf, readerOf, withRevisions, type Preview } from '../../operator/preview.ts'
import { CommandError, exitCodes, type Run } from '../command.ts'
import { readFiles, type File } from '../files.ts'
import { membersOf, readDocuments } from '../lint/documents.ts'
import { lintFile, sentenceOf } from '../lint/lint.ts'
import { printed } from '../print.ts'

/** `render -f FILE…`: 0 when each instance can be deployed, 3 when one cannot. */
export const render: Run = async (call) => {
  const { io } = call
  const files = await readFiles(call)
  const findings = files.flatMap(({ file, text }) => lintFile(file, text).findings)
  if (findings.length > 0) {
    throw new CommandError(`the API server would refuse this:\n${findings.map((each) => sentenceOf(each)).join('\n')}`)
  }
  const project = call.text('namespace') ?? 'default'
  const world = withRevisions(completed(objectsIn(files), project))
  // Names of copies of Secrets hold hashes by the key of a cluster: here those of none.
  const reader = readerOf(world, createSecretKey(Buffer.from('of no cluster')))
  const instances = reader.list<AppInstance>(appInstanceKind)
  if (instances.length === 0) throw new CommandError('there is no AppInstance in these files: nothing is rendered')
  const previews = instances
    .toSorted((a, b) => (keyOf(refOf(a)) < keyOf(refOf(b)) ? -1 : 1))
    .map((instance) => previewOf(reader, instance, new Date()))
  const objects = previews.flatMap(({ plan }) => plan?.stages.flatMap((stage) => stage.objects) ?? [])
  const text = printed(
    objects.map(({ type, object }) => ({ type, object })),
    call.text('output') ?? 'yaml',
  )
  if (text !== '') io.out(text)
  for (const preview of previews) if (complaintOf(preview) !== '') io.error(`${complaintOf(preview)}\n`)
  return previews.some(({ objection }) => objection) ? exitCodes.notSo : exitCodes.done
}

function complaintOf({ seen, objection, plan }: Preview): string {
  const name = `${appInstanceKind.kind} ${seen.instance.metadata.name}`
  if (objection) return `${name}: ${objection.reason}: ${objection.message}`
  return plan ? '' : `${name}: nothing is rendered: it is suspended, and was never deployed`
}

function objectsIn(files: readonly File[]): readonly KubeObject[] {
  return files.flatMap(({ text }) => readDocuments(text).flatMap(membersOf)).map(({ value }) => value as KubeObject)
}

/** What only a cluster knows, and nobody reads meaning into. */
const noUid = '00000000-0000-0000-0000-000000000000'

const namespacedKinds: ReadonlySet<string> = new Set(
  [...kinds, secretType, configMapType].filter(({ namespaced }) => namespaced).map(({ kind }) => kind),
)

/** The objects with what an API server and the operator would add: namespaces, uids, the default AppEnvs. */
function completed(objects: readonly KubeObject[], project: string): readonly KubeObject[] {
  const given = objects.map((object) => withMetadata(object, project))
  const projects = new Set(given.flatMap(({ metadata }) => metadata.namespace ?? []))
  const namespaces = ['kube-system', ...projects]
    .filter((name) => !given.some(({ kind, metadata }) => kind === namespaceType.kind && metadata.name === name))
    .map((name) => ({ apiVersion: 'v1', kind: namespaceType.kind, metadata: { name, uid: noUid } }))
  const envs = given.some(({ kind }) => kind === appEnvKind.kind) ? [] : defaultEnvs
  return [...namespaces, ...envs, ...given]
}

function withMetadata(object: KubeObject, project: string): KubeObject {
  const { metadata } = object
  const namespace = namespacedKinds.has(object.kind) ? { namespace: metadata.namespace ?? project } : {}
  const { stringData = {}, data = {} } = object as { stringData?: Record<string, string>; data?: object }
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  return {
    ...object,
    ...(object.kind === secretType.kind && { data: { ...data, ...Object.fromEntries(encoded) } }),
    metadata: { uid: noUid, resourceVersion: '1', generation: 1, ...metadata, ...namespace },
  }
}
