import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadAll } from 'js-yaml'
import { ensureHelm } from '../cluster/binaries.ts'
import { reportToTerminal } from '../cluster/progress.ts'
import { cases, planFile } from '../render/cases.ts'
import { appstead } from '../unit/cli/cli.ts'
import type { Anything } from './hands.ts'

/** All that reaches a cluster from us, by where it comes from. */
export type Manifests = Readonly<Record<string, readonly Anything[]>>

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const read = (path: string): readonly Anything[] =>
  (loadAll(readFileSync(at(path), 'utf8')) as Anything[]).filter(Boolean)

/** The Secret that an instance of shop names. */
const databaseOf = (instance: string): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: `${instance}-pg`,
    labels: { 'appstead.dev/allow': 'true' },
    annotations: { 'appstead.dev/allow-apps': 'shop' },
  },
  stringData: Object.fromEntries(['host', 'port', 'username', 'password', 'dbname', 'uri'].map((key) => [key, '1'])),
})

/** What of each example declares instances, and what these need besides. */
const examples: Readonly<Record<string, { readonly files: readonly string[]; readonly secrets?: readonly object[] }>> =
  {
    hello: { files: ['hello.yaml'] },
    errored: { files: ['taken.yaml'] },
    shop: {
      files: ['shop.yaml', 'shop-1.1.yaml'],
      secrets: ['shop-prod', 'shop-staging', 'shop-dev'].map((instance) => databaseOf(instance)),
    },
    gitops: {
      files: [
        'app/app.yaml',
        'app/stack.yaml',
        ...['dev', 'prod'].flatMap((each) => [`${each}/instance.yaml`, `${each}/settings.yaml`]),
      ],
    },
  }

/** What the operator makes of the instances of an example. */
async function madeOf(example: string): Promise<readonly Anything[]> {
  const { files, secrets = [] } = examples[example]!
  const input = secrets.map((each) => JSON.stringify(each)).join('\n---\n')
  const named = [...files.map((file) => at(`examples/${example}/${file}`)), '-']
  const { code, stdout, stderr } = await appstead(['render', ...named.flatMap((file) => ['-f', file])], { input })
  if (code !== 0) throw new Error(`${example} is not rendered: ${stderr}`)
  return loadAll(stdout) as readonly Anything[]
}

interface Plan {
  readonly stages?: readonly { readonly objects: readonly { readonly object: Anything }[] }[]
}

/** What the operator makes of instances: those of the examples, and those of the golden cases, which have every field. */
export async function madeOfInstances(): Promise<Manifests> {
  const made: Record<string, readonly Anything[]> = {}
  for (const example of Object.keys(examples)) made[`examples/${example}`] = await madeOf(example)
  for (const name of cases) {
    const [plan] = loadAll(readFileSync(planFile(name), 'utf8')) as [Plan]
    made[`test/render/${name}`] = (plan.stages ?? []).flatMap(({ objects }) => objects.map(({ object }) => object))
  }
  return made
}

/** What the chart makes with these values. The first time on a machine Helm is built, which takes minutes. */
export async function madeByChart(...values: readonly string[]): Promise<readonly Anything[]> {
  const helm = await ensureHelm(reportToTerminal)
  const sets = values.flatMap((value) => ['--set', value])
  const args = ['template', 'appstead', at('charts/appstead'), '--namespace', 'appstead-system', ...sets]
  return (loadAll(execFileSync(helm, args, { encoding: 'utf8' })) as Anything[]).filter(Boolean)
}

/** What else is shipped to be applied. */
export function shippedFiles(): Manifests {
  const paths = [
    'charts/kustomize/namespace.yaml',
    'charts/kustomize/operator.yaml',
    ...Object.entries(examples).flatMap(([example, { files }]) => files.map((file) => `examples/${example}/${file}`)),
    'examples/shop/seed.yaml',
    'examples/errored/namespace.yaml',
  ]
  return Object.fromEntries(paths.map((path) => [path, read(path)]))
}
