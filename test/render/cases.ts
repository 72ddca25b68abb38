import { readdirSync, readFileSync } from 'node:fs'
import { dump, loadAll } from 'js-yaml'
import { changesOf } from '../../operator/controllers/appInstance/pending.ts'
import type { KubeObject } from '../../operator/api/meta.ts'
import { decide, withRevisions } from './world.ts'

const folder = new URL('.', import.meta.url)

/** Names of the cases: the folders beside this file. */
export const cases: readonly string[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted()

/** Where the expected output of a case stands. */
export function planFile(name: string): URL {
  return new URL(`${name}/plan.yaml`, folder)
}

/** The objects of a case, as a user and the operator wrote them. */
export function objectsOf(name: string): readonly KubeObject[] {
  return loadAll(readFileSync(new URL(`${name}/in.yaml`, folder), 'utf8')) as KubeObject[]
}

/** The text of a case's plan.yaml: what the reconciler decides to make of the objects. */
export async function planTextOf(name: string): Promise<string> {
  const decision = decide(await withRevisions(objectsOf(name)))
  const { seen, objection, isNewRelease, release, plan } = decision
  const { pendingChanges } = changesOf(seen, decision)
  const output = {
    ...(objection && { objection }),
    ...(pendingChanges && { pendingChanges }),
    ...(isNewRelease ? { newRelease: release } : { currentRelease: release?.metadata.name }),
    stages: plan?.stages.map((stage) => ({
      name: stage.name,
      objects: stage.objects.map(({ mode, random, after, afterJob, object }) => ({
        mode,
        ...(random && { random }),
        ...(after && { after }),
        ...(afterJob !== undefined && { afterJob }),
        object,
      })),
    })),
    keep: plan?.keep.map(({ type, name: kept }) => `${type.kind}/${kept}`),
  }
  return dump(JSON.parse(JSON.stringify(output)), { lineWidth: -1, noRefs: true })
}
