import { join, posix } from 'node:path'
import { operatorImage } from '../../charts/operatorImage.ts'
import { layOut } from '../cluster/image.ts'

/** How a process of the operator is started: in which folder, what Node is given, and the environment it has. */
export interface OperatorStart {
  readonly folder: string
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** Lays out in a folder what the operator's image has; only Node is this checkout's own. Returns how it is started there. */
export async function layOutOperator(folder: string): Promise<OperatorStart> {
  const {
    entrypoint,
    workingFolder = '/',
    environment = {},
    ...image
  } = operatorImage('appstead.local/operator:laid-out')
  await layOut({ ...image, entrypoint, node: false }, folder)
  return { folder: join(folder, posix.normalize(workingFolder)), arguments: entrypoint.slice(1), environment }
}
