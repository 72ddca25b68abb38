import { named, setField, unlessDone, writingOf } from '../change.ts'
import { instanceOf, withCluster } from '../cluster.ts'
import { CommandError, exitCodes, type Run } from '../command.ts'

/** `scale`, `suspend`, `resume`: a change of the spec, as kubectl would make it. */

/** Changes the number of replicas of the main service. */
export const scale: Run = (call) => {
  const text = call.text('replicas')
  const replicas = Number(text)
  // The API server knows how many are too many, and says so.
  if (text === undefined || !/^\d+$/.test(text))
    throw new CommandError(`--replicas of scale must be a whole number from 1 to 10: ${text ?? 'it is missing'}`)
  return withCluster(call, async (cluster) => {
    const instance = await instanceOf(cluster, call.positionals[0] ?? '')
    const writing = writingOf(call)
    await setField(cluster, instance, ['replicas', replicas], writing)
    call.io.out(`${named(instance)} scaled${unlessDone(writing)}\n`)
    if (!writing.isDryRun && instance.status?.effective?.deploy?.replicaChanges !== 'Immediate')
      call.io.out(`It takes effect with the next deployment; now: kubectl appstead deploy ${instance.metadata.name}\n`)
    return exitCodes.done
  })
}

const suspended = (value: boolean, done: string): Run => {
  return (call) =>
    withCluster(call, async (cluster) => {
      const instance = await instanceOf(cluster, call.positionals[0] ?? '')
      const writing = writingOf(call)
      await setField(cluster, instance, ['suspend', value], writing)
      call.io.out(`${named(instance)} ${done}${unlessDone(writing)}\n`)
      return exitCodes.done
    })
}

/** No pod of the instance is left afterwards. */
export const suspend: Run = suspended(true, 'suspended')

/** All services come back. */
export const resume: Run = suspended(false, 'resumed')
