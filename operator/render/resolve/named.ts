import type { AppSpec } from '../../api/app.ts'
import type { AppInstanceSpec } from '../../api/appInstance.ts'
import type { StackService } from '../../api/service/stackService.ts'

type Override = NonNullable<AppInstanceSpec['services']>[number]

/** What may refer to Secrets and ConfigMaps: the spec of an App or of an AppInstance, a service of a stack, an override. */
export type Holder = Partial<
  Pick<AppSpec, 'variables' | 'variablesFrom' | 'imagePullSecrets'> &
    Pick<StackService, 'files'> &
    Pick<Override, 'external'>
>

interface Ref {
  readonly name: string
}

/** Of two references, of which one is there, what it names: `Secret/<name>` or `ConfigMap/<name>`. */
export function sourceOf(secret: Ref | undefined, configMap: Ref | undefined): string {
  return secret ? `Secret/${secret.name}` : `ConfigMap/${configMap?.name ?? ''}`
}

/** The Secrets and ConfigMaps that are named there, as `Secret/<name>` and `ConfigMap/<name>`. */
export function sourcesNamedIn({ variables, variablesFrom, imagePullSecrets, files, external }: Holder): string[] {
  const secrets: (Ref | undefined)[] = [
    ...(variables ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef),
    ...(variablesFrom ?? []).map(({ secretRef }) => secretRef),
    ...(files ?? []).map(({ secretKeyRef }) => secretKeyRef),
    ...(imagePullSecrets ?? []),
    external && { name: external.secretName },
  ]
  const configMaps: (Ref | undefined)[] = [
    ...(variables ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef),
    ...(variablesFrom ?? []).map(({ configMapRef }) => configMapRef),
    ...(files ?? []).map(({ configMapKeyRef }) => configMapKeyRef),
  ]
  return [
    ...secrets.flatMap((ref) => (ref ? [`Secret/${ref.name}`] : [])),
    ...configMaps.flatMap((ref) => (ref ? [`ConfigMap/${ref.name}`] : [])),
  ]
}
