import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dump, load } from 'js-yaml'
import type { AppInstance } from '../../operator/api/appInstance.ts'

/**
 * AppInstances as the API server showed them, one for each row of the phase table: what tools are tried on. Recorded and
 * compared by test/apiserver/product/phases.test.ts.
 */

const folder = new URL('.', import.meta.url)
const suffix = '.yaml'

/** An instance, with what tools read of it. */
export interface Recorded extends Pick<AppInstance, 'spec'> {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Pick<AppInstance['metadata'], 'name' | 'namespace' | 'generation' | 'deletionTimestamp'>
  readonly status: NonNullable<AppInstance['status']>
}

/** Names of the files beside this one, without their ending. */
export function recordedNames(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .toSorted()
}

/** What was recorded under a name; throws where nothing was. */
export function readRecorded(name: string): Recorded {
  return load(readFileSync(new URL(`${name}${suffix}`, folder), 'utf8')) as Recorded
}

/** Records an instance; the diff is to be reviewed like a change of the API. */
export function writeRecorded(name: string, recorded: Recorded): void {
  writeFileSync(new URL(`${name}${suffix}`, folder), dump(recorded, { lineWidth: -1, noRefs: true }))
}
