import type { AppInstance } from '../../operator/api/appInstance.ts'
import { appInstanceKind } from '../../operator/api/appInstance.ts'
import type { AppStackRevision } from '../../operator/api/appStackRevision.ts'
import { appStackRevisionKind } from '../../operator/api/appStackRevision.ts'
import { refOf, type KubeObject } from '../../operator/api/meta.ts'
import { identityOf } from '../../operator/apply/fights.ts'
import { childTypes } from '../../operator/controllers/informers.ts'
import { namespaceType } from '../../operator/api/builtin.ts'
import { previewOf, type Preview } from '../../operator/preview.ts'
import { sentenceOf } from '../../operator/render/changes.ts'
import type { Reader } from '../../operator/runtime/controller.ts'
import { withCluster } from '../cluster.ts'
import { CommandError, exitCodes, type Call, type Colour, type Run } from '../command.ts'
import { differencesOf, type Difference } from '../diff.ts'
import { readFiles } from '../files.ts'
import { clusterOptions, runKubectl } from '../kubectl.ts'
import { appliedTo, identityOf as idOf, instancesIn, readerIn, worldOf } from '../world.ts'

/** `diff -f FILE…`: 0 when applying the files would change nothing of any instance, 3 when it would. */
export const diff: Run = async (call) => {
  const files = await readFiles(call)
  return withCluster(call, async (cluster) => {
    const { namespace } = cluster
    const applied = await appliedBy(call, namespace, files.map(({ text }) => text).join('\n---\n'))
    const elsewhere = applied.find(({ metadata }) => (metadata.namespace ?? namespace) !== namespace)
    if (elsewhere)
      throw new CommandError(
        `${idOf(elsewhere)} is not in namespace '${namespace}': diff looks at one project, the one of -n`,
      )
    const world = await worldOf(cluster)
    const now = new Date()
    const before = readerIn(world)
    const after = readerIn(await appliedTo(cluster, world, applied))
    const named = new Set(applied.map(idOf))
    const previews = instancesIn(after, namespace)
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .map((instance) => previewOf(after, instance, now))
      .filter((preview) => named.has(idOf(preview.seen.instance)) || isTouched(before, preview, now))
    const texts = previews.map((preview) => {
      const live = liveOf(world, preview.seen.instance.metadata.name)
      return textOf(call, preview, differencesOf(preview, live))
    })
    for (const text of [...revisionsIn(after, before, namespace), ...texts]) call.io.out(text)
    return texts.every((text) => text === '') ? exitCodes.done : exitCodes.notSo
  })
}

/** The objects as the API server would store them; it and kubectl decide, and nothing is written. */
async function appliedBy(call: Call, namespace: string, input: string): Promise<readonly KubeObject[]> {
  const args = ['apply', '--namespace', namespace, '--dry-run=server', '--output=json', '--filename=-']
  const { code, stdout, stderr } = await runKubectl([...clusterOptions(call), ...args], { purpose: 'diff', input })
  if (code !== 0) throw new CommandError(`these files could not be applied:\n${stderr.trim()}`)
  const answer = JSON.parse(stdout) as KubeObject & { readonly items?: readonly KubeObject[] }
  return answer.items ?? [answer]
}

/** Whether the files change what an instance is that does not stand in them. */
function isTouched(before: Reader, preview: Preview, now: Date): boolean {
  const known: AppInstance | undefined = before.get(appInstanceKind, refOf(preview.seen.instance))
  return decided(known && previewOf(before, known, now)) !== decided(preview)
}

const decided = (preview: Preview | undefined): string =>
  JSON.stringify([preview?.plan, preview?.changes, preview?.objection])

/** Those that stacks would publish: an instance that does not upgrade itself stays with its own. */
function revisionsIn(after: Reader, before: Reader, project: string): readonly string[] {
  return after
    .list<AppStackRevision>(appStackRevisionKind)
    .filter(({ metadata }) => metadata.namespace === project && !before.get(appStackRevisionKind, refOf({ metadata })))
    .map(({ metadata }) => `AppStackRevision ${metadata.name} published\n`)
}

/** What an instance has of ours: its namespace and what is in it. */
function liveOf(world: readonly KubeObject[], name: string): ReadonlyMap<string, KubeObject> {
  const children = world.filter(({ metadata }) => metadata.namespace === name)
  const own = world.filter(({ kind, metadata }) => kind === namespaceType.kind && metadata.name === name)
  return new Map(
    [...own, ...children].flatMap((object) => {
      const type = [namespaceType, ...childTypes].find(({ kind }) => kind === object.kind)
      return type ? [[identityOf({ type, object }), object] as const] : []
    }),
  )
}

const colours: Readonly<Record<Difference['what'], Colour>> = { created: 'green', changed: 'yellow', removed: 'red' }

function textOf(
  { io }: Call,
  { seen, objection, changes, release, isNewRelease }: Preview,
  differences: readonly Difference[],
): string {
  const { name } = seen.instance.metadata
  const lines = [
    ...(objection ? [`  it could not be deployed: ${objection.reason}: ${objection.message}`] : []),
    ...changes.map((change) => `  waits for the next deployment: ${sentenceOf(change)}`),
    ...differences.flatMap(({ what, object, fields }) => [
      `  ${io.paint(colours[what], `${object} ${what}`)}`,
      ...fields.map((field) => `    ${field}`),
    ]),
  ]
  if (lines.length === 0) return ''
  const why = isNewRelease ? ` by release ${release?.spec.number} (${release?.spec.cause})` : ''
  return [`AppInstance ${name}${why}`, ...lines, ''].join('\n')
}
