import { setTimeout as pause } from 'node:timers/promises'
import type { AppInstance } from '../operator/api/appInstance.ts'
import { appInstanceKind } from '../operator/api/appInstance.ts'
import type { AppRelease } from '../operator/api/appRelease.ts'
import { appReleaseKind } from '../operator/api/appRelease.ts'
import { refOf } from '../operator/api/meta.ts'
import { conditionOf } from '../operator/status/conditions.ts'
import type { Cluster } from './cluster.ts'
import { CommandError, exitCodes, type ExitCode } from './command.ts'

/** Waits for the release that a request leads to, and tells how it goes. */

export interface Followed {
  readonly request: 'deploy' | 'restart'
  /** The value of the annotation. */
  readonly cause: string
  readonly seconds: number
  /** Told each thing once. */
  readonly tell: (line: string) => void
}

const pollSeconds = 1

/** Out: done when the release is rolled out, notSo when it failed. Throws a CommandError when it took too long. */
export async function followRelease(cluster: Cluster, instance: AppInstance, followed: Followed): Promise<ExitCode> {
  const { name } = instance.metadata
  const deadline = performance.now() + followed.seconds * 1000
  let told: string | undefined
  while (performance.now() < deadline) {
    const { line, result } = await lookAt(cluster, instance, followed)
    if (line !== undefined && line !== told) followed.tell(line)
    told = line
    if (result !== undefined) return result
    await pause(pollSeconds * 1000)
  }
  const more = `it goes on: kubectl appstead why ${name}`
  throw new CommandError(`${name} is not deployed after ${followed.seconds} s (--timeout); ${more}`)
}

interface Sight {
  /** How far it is; undefined before there is a release. */
  readonly line?: string
  /** Once it is decided. */
  readonly result?: ExitCode
}

async function lookAt(cluster: Cluster, instance: AppInstance, followed: Followed): Promise<Sight> {
  const { metadata, status } = (await cluster.client.get(appInstanceKind, refOf(instance))) as AppInstance
  if (metadata.deletionTimestamp !== undefined) throw new CommandError(`${metadata.name} is being deleted`)
  const release = await releaseOf(cluster, instance, followed)
  if (!release) return {}
  const succeeded = conditionOf(release.status?.conditions, 'Succeeded')
  const line = (message = ''): string => `${release.metadata.name}: ${message}`
  if (succeeded?.status === 'True') return { line: line(succeeded.message), result: exitCodes.done }
  if (succeeded?.status === 'False') return { line: line(succeeded.message), result: exitCodes.notSo }
  return { line: line(conditionOf(status?.conditions, 'Ready')?.message) }
}

/** The release that was made for the request. */
async function releaseOf(
  { client, namespace }: Cluster,
  { metadata: { name, uid } }: AppInstance,
  { request, cause }: Followed,
): Promise<AppRelease | undefined> {
  const { items } = await client.list(appReleaseKind, { namespace, fieldSelector: `spec.instance=${name}` })
  const releases = (items as AppRelease[]).filter(
    ({ spec }) => spec.instanceUid === uid && spec.requests?.[request] === cause,
  )
  return releases.toSorted((a, b) => a.spec.number - b.spec.number)[0]
}
