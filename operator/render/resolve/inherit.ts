import type { StackService } from '../../api/service/stackService.ts'

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
    files: merged(source.files, worker.files, ({ path }) => path),
    security: { ...source.security, ...worker.security },
  }
}

function merged<Item>(of: readonly Item[] = [], own: readonly Item[] = [], keyOf: (item: Item) => string): Item[] {
  return [...new Map([...of, ...own].map((item) => [keyOf(item), item])).values()]
}
