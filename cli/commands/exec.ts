import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import process from 'node:process'
import { isReady } from '../causes.ts'
import { instanceOf, podsOf, withCluster } from '../cluster.ts'
import { CommandError, type Call, type Run } from '../command.ts'
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
  const where = ['kubeconfig', 'context'].flatMap((option) => optionOf(call, option))
  const streams = [call.flag('stdin') ? ['--stdin'] : [], call.flag('tty') ? ['--tty'] : []].flat()
  return kubectl([
    ...where,
    'exec',
    chosen.pod,
    '--namespace',
    name,
    '--container',
    chosen.service,
    ...streams,
    '--',
    ...command,
  ])
}

function optionOf(call: Call, option: string): readonly string[] {
  const value = call.text(option)
  return value === undefined ? [] : [`--${option}`, value]
}

function kubectl(args: readonly string[]): Promise<number> {
  // Ctrl-C is for the command; we end when it has.
  process.on('SIGINT', () => undefined)
  return new Promise((resolve, reject) => {
    const child = spawn('kubectl', args, { stdio: 'inherit' })
    child.once('error', () => reject(new CommandError('exec needs kubectl in the PATH, and there is none')))
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
}
