import { apiVersionOf, secretType } from '../api/builtin.ts'
import { annotations } from '../api/meta.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { ownerLabels } from './labels.ts'
import { copyName } from './names.ts'
import type { Copy, Desired } from './plan.ts'

/** Copies of what the project's Secrets and ConfigMaps hold, in the instance's namespace (ADR 0018). */

type Copied = NonNullable<ResolvedService['variables'][number]['copied']>

/** The copies that a service's variables and files come from, by source. */
export function copiesFor(service: Pick<ResolvedService, 'variables' | 'files'>): ReadonlyMap<string, Copy> {
  const copied = [...service.variables, ...service.files].flatMap((each) => each.copied ?? [])
  const bySource = Map.groupBy(copied, ({ source }) => source)
  return new Map([...bySource].map(([source, uses]) => [source, copyOf(source, uses, 'Opaque')]))
}

/** The copies that a service's images are pulled with. */
export function pullCopiesFor({ imagePullSecrets = [] }: Pick<ResolvedService, 'imagePullSecrets'>): Copy[] {
  return imagePullSecrets.map((each) => copyOf(each.source, [each], 'kubernetes.io/dockerconfigjson'))
}

function copyOf(source: string, uses: readonly Copied[], type: Copy['type']): Copy {
  const byKey = new Map(uses.map(({ key, hash }) => [key, { key, hash }]))
  const values = [...byKey.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
  return { name: copyName(source, { type, values }), type, source, values }
}

/** All copies that services need, each once: services that use the same of a source share one. */
export function copiesOf(services: readonly ResolvedService[]): readonly Copy[] {
  const all = services.flatMap((service) => [...copiesFor(service).values(), ...pullCopiesFor(service)])
  return [...new Map(all.map((copy) => [copy.name, copy])).values()]
}

/** A copy as an object, without its values: they are read when it is to be made, and only then. */
export function makeCopy(owner: Owner, copy: Copy): Desired {
  const { name, type, source } = copy
  return {
    type: secretType,
    mode: 'copy',
    copy,
    object: {
      apiVersion: apiVersionOf(secretType),
      kind: 'Secret',
      metadata: {
        name,
        namespace: owner.instance,
        labels: ownerLabels(owner),
        annotations: { [annotations.copyOf]: source },
      },
      immutable: true,
      type,
    } as Desired['object'],
  }
}
