import type { ResolvedService } from '../api/service/resolvedService.ts'
import { copiesFor } from './copies.ts'
import { generatedSecretName } from './names.ts'
import type { Copy } from './plan.ts'

/** The env of a container; a variable of the same name wins over a generated secret. */
export function environment(service: ResolvedService): object[] {
  const copies = copiesFor(service)
  const given = new Set(service.variables.map(({ name }) => name))
  return [
    ...service.variables.map((variable) => ({ name: variable.name, ...sourceOf(variable, copies) })),
    ...service.generatedSecrets
      .filter(({ name }) => !given.has(name))
      .map(({ name, service: owner = service.name }) => ({
        name,
        valueFrom: { secretKeyRef: { name: generatedSecretName(owner, name), key: 'value' } },
      })),
  ]
}

function sourceOf(
  { value = '', fieldPath, copied }: ResolvedService['variables'][number],
  copies: ReadonlyMap<string, Copy>,
): object {
  if (copied) return { valueFrom: { secretKeyRef: { name: copies.get(copied.source)?.name, key: copied.key } } }
  // What is referred to is one value to the server: with its default.
  if (fieldPath) return { valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } }
  // The server drops an empty value; rendered, it would never be what is read back.
  return value === '' ? {} : { value: literal(value) }
}

/** Kubernetes takes $(NAME) for a reference and $$ for a dollar; what users write stands for itself. */
export function literal(text: string): string {
  return /\$[$(]/.test(text) ? text.replaceAll('$', '$$$$') : text
}
