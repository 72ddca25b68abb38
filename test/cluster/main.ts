import { relative } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { ensureHelm } from './binaries.ts'
import { addNode, linkBinary, loadImage, removeNode, startCluster, stopCluster, type Cluster } from './cluster.ts'
import { makeImage } from './image.ts'
import { layoutOf } from './layout.ts'
import { reportToTerminal } from './progress.ts'
import { parseLevel } from './provider.ts'

const usage = `usage: node test/cluster/main.ts COMMAND [--name NAME]
  up [--level control|kwok|node]   bring up the cluster, or do nothing if it runs
  down                             remove it; without --name every cluster of this checkout
  image FILE --image NAME [--add PATH=SOURCE]… [--node] [--busybox] [--port NUMBER]… -- ENTRYPOINT…
                                   make an image file; SOURCE is a file or folder, PATH its place in the image
  load-image FILE                  load an image file into the node
  add-node                         add a second node, with the images of the first
  remove-node                      take it away, with what runs there: drain it first
  helm                             print the path of a Helm 4, built if there is none`

const show = (path: string): string => relative(process.cwd(), path) || path

function describe(cluster: Cluster): string {
  const kubectl = show(layoutOf(cluster.name).base)
  return [
    `cluster ${cluster.name} (level ${cluster.level}, ${cluster.provider}) ` +
      (cluster.alreadyRan ? 'runs already; nothing was changed' : `is up: ${cluster.server}`),
    '',
    `  export KUBECONFIG=$PWD/${show(cluster.kubeconfig)}`,
    `  ${kubectl}/bin/kubectl get pods -A`,
    ...(cluster.logs === undefined
      ? []
      : ['', `logs: ${show(cluster.logs)}, audit log: ${show(cluster.auditLog ?? '')}`]),
    `remove it: make cluster-down${cluster.name === 'default' ? '' : ` NAME=${cluster.name}`}`,
  ].join('\n')
}

const options = {
  name: { type: 'string' },
  level: { type: 'string' },
  image: { type: 'string' },
  add: { type: 'string', multiple: true },
  node: { type: 'boolean' },
  busybox: { type: 'boolean' },
  port: { type: 'string', multiple: true },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

async function makeImageFile(file: string, entrypoint: string[], values: Values): Promise<string> {
  const pairs = (values.add ?? []).map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)] as const)
  const spec = {
    name: values.image ?? '',
    files: Object.fromEntries(pairs),
    node: values.node ?? false,
    busybox: values.busybox ?? false,
    entrypoint,
    ports: (values.port ?? []).map(Number),
  }
  const { name, path, digest } = await makeImage(spec, file)
  return `${path}: ${name}@${digest}`
}

const commands: Record<string, (operands: string[], values: Values) => Promise<string>> = {
  up: async (_operands, { name, level }) =>
    describe(await startCluster({ ...(name && { name }), ...(level && { level: parseLevel(level) }) })),
  down: async (_operands, { name }) => {
    const stopped = await stopCluster(name ? { name } : {})
    return stopped.length === 0 ? 'no cluster to remove' : `removed: ${stopped.join(', ')}`
  },
  image: async ([file = '', ...entrypoint], values) => makeImageFile(file, entrypoint, values),
  'load-image': async ([file = ''], { name }) => {
    await loadImage(file, name ? { name } : {})
    return `loaded ${file}`
  },
  'add-node': async (_operands, { name }) => {
    await addNode(name ? { name } : {})
    return 'node-2 is Ready'
  },
  'remove-node': async (_operands, { name }) => {
    await removeNode(name ? { name } : {})
    return 'there is no node-2'
  },
  helm: async () => linkBinary(layoutOf(), 'helm', await ensureHelm(reportToTerminal)),
}

const operandCounts: Record<string, number> = { image: 2, 'load-image': 1 }

/** Does what the command line says. Make passes an option that was not given as an empty one. */
async function main(): Promise<string> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options })
  const [name = '', ...operands] = positionals
  const command = commands[name]
  if (command === undefined || operands.length < (operandCounts[name] ?? 0)) throw new Error(usage)
  return command(operands, values)
}

try {
  process.stdout.write(`${await main()}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
