import { relative } from 'node:path'
import process from 'node:process'
import type { Cluster } from '../cluster/cluster.ts'
import { layoutOf } from '../cluster/layout.ts'
import type { Report } from '../cluster/progress.ts'
import { instance, manifestPath, portForward, shellPatchOf } from './hello.ts'

/** What the demo says to its reader. */

const show = (path: string): string => relative(process.cwd(), path) || path

/** What is about to happen and how long it takes. */
export function sayIntroduction(report: Report): void {
  report(
    'Appstead demo: brings up a cluster on this machine (or takes the one that runs), installs the operator by its Helm',
  )
  report(
    'chart, deploys an app with one kubectl apply, updates it while two clients send requests, shows one that is Errored, and a shop of three.',
  )
  report(
    'Usually 2 min. The first time on a machine about 12 min more: Kubernetes and Helm are built from their Go modules.',
  )
}

/** What a command said, below it. */
export function sayOutput(output: string, report: Report): void {
  for (const line of output.trimEnd().split('\n')) report(`  ${line}`)
}

/** Where the app answers. */
export function sayAccess(cluster: Cluster, address: string, report: Report): void {
  if (cluster.provider === 'local') return report(`\n  It answers on ${address}\n  $ curl ${address}`)
  report(`\n  It answers on ${address} inside of the cluster, and here through`)
  report(`  $ kubectl ${portForward('8080').join(' ')}`)
}

/** What to try next, and how to remove everything. */
export function sayNext(cluster: Cluster, report: Report): void {
  const { base } = layoutOf(cluster.name)
  const isDefault = cluster.name === 'default'
  const remove: Hint =
    cluster.provider === 'given'
      ? ['helm uninstall appstead --namespace appstead-system', 'then the operator; your cluster stays']
      : [`make cluster-down${isDefault ? '' : ` NAME=${cluster.name}`}`, 'the whole cluster']
  const lines = [
    `export KUBECONFIG=$PWD/${show(cluster.kubeconfig)} PATH=$PWD/${show(base)}/bin:$PATH`,
    '',
    'Try next:',
    ...align([
      [`kubectl describe appinstance ${instance}`, 'conditions, services, events'],
      [`kubectl get all --namespace ${instance}`, 'what runs'],
      [`kubectl delete pod --all --namespace ${instance}`, 'it comes back'],
      [`kubectl scale appinstance ${instance} --replicas=3`, 'waits for the next deployment'],
      ['kubectl get appinstances -o wide', 'and says so: PENDING'],
      [
        `kubectl patch appinstance ${instance} ${shellPatchOf('127.0.0.1:1/no/image:1')}`,
        'what ran goes on; describe says why',
      ],
      ['kubectl explain appinstance.spec', 'what else can be said'],
    ]),
    '',
    'Remove it:',
    ...align([[`kubectl delete -f ${manifestPath}`, 'the app, with its namespace'], remove]),
  ]
  for (const line of lines) report(line === '' ? '' : `  ${line}`)
}

/** A command, and what it shows. */
type Hint = readonly [command: string, effect: string]

function align(hints: readonly Hint[]): string[] {
  const width = Math.max(...hints.map(([command]) => command.length).filter((length) => length < 60))
  return hints.map(([command, effect]) => `  ${command.padEnd(width)}  # ${effect}`)
}
