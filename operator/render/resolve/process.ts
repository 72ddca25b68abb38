import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'

/** How the process of a service is started and what it may do; what is left to the image or usual is not recorded. */
export function processOf({
  command,
  args,
  workingDir,
  security: { readOnlyRootFilesystem = true, runAsUser } = {},
}: StackService): Pick<ResolvedService, 'command' | 'args' | 'workingDir' | 'security'> {
  const security = {
    ...(!readOnlyRootFilesystem && { readOnlyRootFilesystem }),
    ...(runAsUser !== undefined && { runAsUser }),
  }
  return {
    ...(command && { command }),
    ...(args && { args }),
    ...(workingDir !== undefined && { workingDir }),
    ...(Object.keys(security).length > 0 && { security }),
  }
}
