import type { ResolvedService } from '../../api/service/resolvedService.ts'
import { isVolumeInFile, type StackService } from '../../api/service/stackService.ts'
import { volumeClaimName } from '../names.ts'
import { inOrder } from './order.ts'

type Files = NonNullable<StackService['files']>
type Volume = NonNullable<StackService['volumes']>[number]
type GeneratedSecrets = ResolvedService['generatedSecrets']

/**
 * A Worker with what it takes of the service that its `from` names: each line below is one thing that is inherited, and
 * the Worker's own wins. All else is its own.
 */
export function withInherited(worker: StackService, source: StackService): StackService {
  return {
    ...worker,
    ...(source.image !== undefined && { image: source.image }),
    variables: merged(source.variables, worker.variables, ({ name }) => name),
    variablesFrom: [...(source.variablesFrom ?? []), ...(worker.variablesFrom ?? [])],
    files: merged(filesBeside(worker, source), worker.files, ({ path }) => path),
    volumes: merged(volumesBeside(worker, source), worker.volumes, ({ name }) => name),
    links: merged(source.links, worker.links, ({ as }) => as),
    security: { ...source.security, ...worker.security },
  }
}

/** The source's files that are in no way of a volume of the worker's own. */
function filesBeside({ volumes: own = [] }: StackService, { files = [] }: StackService): Files {
  return files.filter((file) => !own.some((volume) => isVolumeInFile(volume, file)))
}

/**
 * The source's volumes as another service mounts them: the claims stay the source's. A volume or file of the worker's own
 * at a path wins.
 */
function volumesBeside(
  { volumes: own = [], files = [] }: StackService,
  { name: source, volumes = [] }: StackService,
): Volume[] {
  return volumes
    .filter(
      (volume) => !own.some(({ path }) => path === volume.path) && !files.some((file) => isVolumeInFile(volume, file)),
    )
    .map(({ name, path, accessMode, existingClaim }) => ({
      name,
      path,
      accessMode,
      existingClaim: existingClaim ?? volumeClaimName(source, name),
    }))
}

/** The generated secrets of a service, by name: its own, and for a Worker those of its source, which stay the source's. */
export function generatedSecretsOf(
  services: readonly StackService[],
  { from, generatedSecrets }: StackService,
): GeneratedSecrets {
  const source = services.find(({ name }) => name === from)
  const taken = source && generatedSecretsOf(services, source).map((secret) => ({ service: source.name, ...secret }))
  return inOrder(
    merged<GeneratedSecrets[number]>(taken, generatedSecrets, ({ name }) => name),
    ({ name }) => name,
  )
}

function merged<Item>(of: readonly Item[] = [], own: readonly Item[] = [], keyOf: (item: Item) => string): Item[] {
  return [...new Map([...of, ...own].map((item) => [keyOf(item), item])).values()]
}
