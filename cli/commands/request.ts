import process from 'node:process'
import type { AppInstance } from '../../operator/api/appInstance.ts'
import { annotations } from '../../operator/api/meta.ts'
import { annotate, named, unlessDone, writingOf } from '../change.ts'
import { instanceOf, withCluster } from '../cluster.ts'
import { CommandError, exitCodes, type Call, type Run } from '../command.ts'
import { followRelease } from '../follow.ts'

/** `deploy`, `restart`, `retry`: a request, as an annotation whose value is the cause; each value is handled once. */

/** What an AppRelease records of it. */
const causeLimit = 256

type Request = 'deploy' | 'restart' | 'retry'

const ask = (request: Request): Run => {
  return (call) => {
    const seconds = secondsOf(call)
    return withCluster(call, async (cluster) => {
      const instance = await instanceOf(cluster, call.positionals[0] ?? '')
      const hindrance = hindranceTo(request, instance)
      if (hindrance !== undefined) throw new CommandError(`${request} of ${named(instance)}: ${hindrance}`)
      const cause = call.text('cause') ?? `${process.env['USER'] ?? 'somebody'} at ${new Date().toISOString()}`
      if (cause.length > causeLimit) throw new CommandError(`--cause must have at most ${causeLimit} characters`)
      if (instance.metadata.annotations?.[annotations[request]] === cause)
        throw new CommandError(`--cause '${cause}': it was asked for with these words before; say others`)
      const writing = writingOf(call)
      await annotate(cluster, instance, [annotations[request], cause], writing)
      call.io.out(`${named(instance)} ${request} requested${unlessDone(writing)}\n`)
      if (writing.isDryRun || request === 'retry' || !call.flag('follow')) return exitCodes.done
      return followRelease(cluster, instance, { request, cause, seconds, tell: (line) => call.io.out(`${line}\n`) })
    })
  }
}

/** Deploys what waits, or what failed once more; with --follow to its end. */
export const deploy: Run = ask('deploy')

/** Replaces all replicas; with --follow to its end. */
export const restart: Run = ask('restart')

/** Has what is Errored tried again. */
export const retry: Run = ask('retry')

/** Why the operator would not act on a request now; undefined where nothing is in the way. */
function hindranceTo(request: Request, { metadata, status }: AppInstance): string | undefined {
  if (request === 'retry') return status?.error ? undefined : 'it is not Errored, so there is nothing to be tried again'
  const blocked = status?.blocked?.find(({ operation }) => operation === 'NewWork')
  if (!blocked) return undefined
  return `no new release is made of it now (${blocked.reason}); see kubectl appstead why ${metadata.name} -n ${metadata.namespace}`
}

function secondsOf(call: Call): number {
  const text = call.text('timeout') ?? '600'
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new CommandError(`--timeout must be a number of seconds, 1 or more: '${text}'`)
  return Number(text)
}
