import { apiVersionOf, configMapType } from '../api/builtin.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { serviceLabels } from './labels.ts'
import { fileKey, filesName } from './names.ts'
import type { Desired } from './plan.ts'

/** The files of one service, immutable: all replicas of a release see the same content. */
export function makeFilesConfigMap(owner: Owner, service: ResolvedService): Desired {
  return {
    type: configMapType,
    mode: 'immutable',
    object: {
      apiVersion: apiVersionOf(configMapType),
      kind: 'ConfigMap',
      metadata: {
        name: filesName(service.name, service.files),
        namespace: owner.instance,
        labels: serviceLabels(owner, service.name),
      },
      immutable: true,
      data: Object.fromEntries(service.files.map(({ content }, index) => [fileKey(index), content])),
    } as Desired['object'],
  }
}
