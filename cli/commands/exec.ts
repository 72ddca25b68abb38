import process from 'node:process'
import { isReady } from '../causes.ts'
import { instanceOf, podsOf, withCluster } from '../cluster.ts'
import { CommandError, type Run } from '../command.ts'
import { clusterOptions, runKubectl } from '../kubectl.ts'
import { mainServiceOf, refuseBlocked, selectorOf } from '../replicas.ts'

/** `exec NAME -- COMMAND…`: kubectl itself does it, in a replica that is chosen here; ends as the command does. */
export const exec: Run = async (call) => {
  const [name = '', ...command] = call.positionals
  const chosen = await withCluster(call, async (cluster) => {
    const instance = await instanceOf(cluster, name)
    refuseBlocked('exec', instance)
    const service = call.text('service') ?? (await mainServiceOf(cluster, instance))
    const ready = (await podsOf(cluster, instance, selectorOf(instance, service))).filter(isReady)
    const pod = ready.map(({ metadata }) => metadata.name).toSorted()[0]
    if (pod === undefined)
      throw new CommandError(
        `no replica of service '${service}' is ready: kubectl appstead why ${name} -n ${cluster.namespace}`,
      )
    return { pod, service }
  })
  const streams = ['stdin', 'tty'].filter((each) => call.flag(each)).map((each) => `--${each}`)
  const where = ['--namespace', name, '--container', chosen.service]
  // Ctrl-C is for the command; we end when it has.
  process.on('SIGINT', () => undefined)
  const args = [...clusterOptions(call), 'exec', chosen.pod, ...where, ...streams, '--', ...command]
  return (await runKubectl(args, { purpose: 'exec' })).code
}
