import type { App } from '../../api/app.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { sourceOf } from './named.ts'
import { inOrder } from './order.ts'
import type { Uses } from './references.ts'

/** The files of a service: as they are written, or copied from a key of a Secret or ConfigMap. */
export function filesOf({ name: service, files = [] }: StackService, uses: Uses): ResolvedService['files'] {
  const sorted = inOrder(files, ({ path }) => path)
  return sorted.flatMap(({ path, content, secretKeyRef, configMapKeyRef }): ResolvedService['files'] => {
    if (content !== undefined) return [{ path, content }]
    const source = sourceOf(secretKeyRef, configMapKeyRef)
    const key = (secretKeyRef ?? configMapKeyRef)?.key ?? ''
    const copied = uses.one(source, key, { where: `file ${path} of service '${service}'`, isFile: true })
    return copied ? [{ path, copied }] : []
  })
}

/** The key under which Kubernetes looks for the credentials of registries. */
export const dockerConfigKey = '.dockerconfigjson'

/** What images are pulled with: of all services of an App the same. */
export function pullSecretsOf(
  { metadata, spec: { imagePullSecrets = [] } }: App,
  uses: Uses,
): Pick<ResolvedService, 'imagePullSecrets'> {
  const copies = inOrder(imagePullSecrets, ({ name }) => name).flatMap(
    ({ name }) =>
      uses.one(`Secret/${name}`, dockerConfigKey, {
        where: `imagePullSecrets of App '${metadata.name}'`,
        isFile: true,
      }) ?? [],
  )
  return copies.length > 0 ? { imagePullSecrets: copies } : {}
}
