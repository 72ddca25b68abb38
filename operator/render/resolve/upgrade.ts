import type { AppEnv } from '../../api/appEnv.ts'
import type { AppInstance } from '../../api/appInstance.ts'

/** Whether an instance moves to each new revision by itself: as it says, else its AppEnv; where that is prod, never. */
export function upgradesItself({ spec }: AppInstance, env: AppEnv | undefined): boolean {
  if (!env || env.spec.type === 'prod') return false
  return spec.stack?.autoUpgrade ?? env.spec.defaults?.autoUpgrade ?? false
}
