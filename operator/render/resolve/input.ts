import type { App } from '../../api/app.ts'
import type { AppEnv } from '../../api/appEnv.ts'
import type { AppInstance } from '../../api/appInstance.ts'
import type { StackService } from '../../api/service/stackService.ts'
import type { References } from './references.ts'

/** All that decides what a release of an instance records. */
export interface Input {
  readonly instance: AppInstance
  readonly app: App
  readonly env: AppEnv
  /** Services of the chosen AppStackRevision, with what the App says of them in the environment. */
  readonly services: readonly StackService[]
  /** Secrets and ConfigMaps of the project. */
  readonly references: References
}

/** The service that `image` and `replicas` of an instance mean: marked main, else the first Web, else the first Worker. */
export function mainOf(services: readonly StackService[]): StackService | undefined {
  return (
    services.find(({ main }) => main) ??
    services.find(({ type }) => type === 'Web') ??
    services.find(({ type }) => type === 'Worker')
  )
}
