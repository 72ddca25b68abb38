import { remember, leaksIn, type Leak } from '../support/canaries.ts'
import { leaksInCluster } from '../support/clusterLeaks.ts'
import { makeAdmin } from '../support/apiserver.ts'
import { podsOf, type NodeWorld } from './world.ts'

export const operatorNamespace = 'appstead-system'

/** Has the tokens of the operator's living pods looked for from now on. */
export async function rememberTokens(world: NodeWorld): Promise<void> {
  const program = `process.stdout.write(fs.readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token'))`
  for (const { metadata } of await podsOf(world, operatorNamespace)) {
    const exec = ['-n', operatorNamespace, 'exec', metadata.name, '--', 'node', '--eval', program]
    remember(`the token of ${metadata.name}`, await world.kubectl.text(...exec))
  }
}

/** The pod that holds the Lease: its holder is named after it. */
export async function leadingOperator(world: NodeWorld): Promise<Awaited<ReturnType<typeof podsOf>>[number]> {
  const jsonpath = 'jsonpath={.spec.holderIdentity}'
  const holder = await world.kubectl.text('-n', operatorNamespace, 'get', 'lease', 'appstead', '-o', jsonpath)
  const pods = await podsOf(world, operatorNamespace)
  const leading = pods.find(({ metadata }) => holder.startsWith(`${metadata.name}_`))
  if (leading === undefined) throw new Error(`no pod of the operator is the holder ${holder}`)
  return leading
}

/** What the operator's living pods wrote, also before their containers were started again; or will write until they end. */
export async function readLogs(world: NodeWorld, until: 'now' | 'their end'): Promise<string> {
  const pods = await podsOf(world, operatorNamespace)
  const ways = [until === 'now' ? [] : ['--follow'], ['--previous']]
  const calls = pods.flatMap(({ metadata }) =>
    ways.map((way) => world.kubectl.ask('-n', operatorNamespace, 'logs', metadata.name, ...way)),
  )
  return (await Promise.all(calls)).map(({ stdout }) => stdout).join('')
}

/** The secrets of this cluster that are seen in it anywhere but in a Secret, or in a log of the operator's. */
export async function leaksOf({ cluster }: NodeWorld, logs: string): Promise<readonly Leak[]> {
  // In this order: the first reads back what the second looks for.
  return [
    ...(await leaksInCluster(await makeAdmin(cluster.kubeconfig))),
    ...leaksIn("the logs of the operator's pods", logs),
  ]
}
