import type { ResolvedService } from '../api/service/resolvedService.ts'
import { generatedSecretName } from './names.ts'

/** The env of a container; a variable of the same name wins over a generated secret. */
export function environment(service: ResolvedService): object[] {
  const given = new Set(service.variables.map(({ name }) => name))
  return [
    // The server drops an empty value; rendered, it would never be what is read back.
    ...service.variables.map(({ name, value }) => ({ name, ...(value !== '' && { value: literal(value) }) })),
    ...service.generatedSecrets
      .filter(({ name }) => !given.has(name))
      .map(({ name }) => ({
        name,
        valueFrom: { secretKeyRef: { name: generatedSecretName(service.name, name), key: 'value' } },
      })),
  ]
}

/** Kubernetes takes $(NAME) for a reference and $$ for a dollar; what users write stands for itself. */
export function literal(text: string): string {
  return /\$[$(]/.test(text) ? text.replaceAll('$', '$$$$') : text
}
