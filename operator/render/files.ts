import { apiVersionOf, configMapType } from '../api/builtin.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import { copiesFor } from './copies.ts'
import type { Owner } from './labels.ts'
import { serviceLabels } from './labels.ts'
import { fileKey, filesName } from './names.ts'
import type { Desired } from './plan.ts'

/** Files of a service: the written ones in a ConfigMap of their own, the copied ones in copies. */

type WrittenFile = { readonly path: string; readonly content: string }

function writtenFiles({ files }: ResolvedService): WrittenFile[] {
  return files.flatMap(({ path, content }) => (content === undefined ? [] : [{ path, content }]))
}

/** Name of the ConfigMap with a service's written files; undefined when there are none. */
export function filesConfigMapName(service: ResolvedService): string | undefined {
  const files = writtenFiles(service)
  return files.length > 0 ? filesName(service.name, files) : undefined
}

/** The written files of one service, immutable: all replicas of a release see the same content. */
export function makeFilesConfigMap(owner: Owner, service: ResolvedService): Desired[] {
  const name = filesConfigMapName(service)
  if (name === undefined) return []
  const object = {
    apiVersion: apiVersionOf(configMapType),
    kind: 'ConfigMap',
    metadata: { name, namespace: owner.instance, labels: serviceLabels(owner, service.name) },
    immutable: true,
    data: Object.fromEntries(writtenFiles(service).map(({ content }, index) => [fileKey(index), content])),
  }
  return [{ type: configMapType, mode: 'immutable', object }]
}

/** Volumes of a pod that its files come from. */
export function fileVolumes(service: ResolvedService): object[] {
  const written = filesConfigMapName(service)
  const sources = new Set(service.files.flatMap(({ copied }) => copied?.source ?? []))
  const copies = [...copiesFor(service).values()].filter(({ source }) => sources.has(source))
  return [
    ...(written === undefined ? [] : [{ name: 'files', configMap: { name: written } }]),
    ...copies.map(({ name }) => ({ name, secret: { secretName: name } })),
  ]
}

/** Where the files of a service are mounted, one by one. */
export function fileMounts(service: ResolvedService): object[] {
  const copies = copiesFor(service)
  const written = writtenFiles(service).map(({ path }) => path)
  return service.files.map(({ path, copied }) =>
    copied
      ? { name: copies.get(copied.source)?.name, mountPath: path, subPath: copied.key }
      : { name: 'files', mountPath: path, subPath: fileKey(written.indexOf(path)) },
  )
}
