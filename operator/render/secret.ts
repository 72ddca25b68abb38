import { apiVersionOf, secretType } from '../api/builtin.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { serviceLabels } from './labels.ts'
import { generatedSecretName } from './names.ts'
import type { Desired } from './plan.ts'

/** One generated secret: made once with random text, never changed by an upgrade, never pruned. */
export function makeGeneratedSecret(
  owner: Owner,
  service: ResolvedService,
  secret: { name: string; length: number },
): Desired {
  return {
    type: secretType,
    mode: 'once',
    random: { value: secret.length },
    object: {
      apiVersion: apiVersionOf(secretType),
      kind: 'Secret',
      metadata: {
        name: generatedSecretName(service.name, secret.name),
        namespace: owner.instance,
        labels: serviceLabels(owner, service.name),
      },
      immutable: true,
      type: 'Opaque',
    } as Desired['object'],
  }
}
