import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { expect, it } from '@jest/globals'
import { dump, load } from 'js-yaml'
import { readRecorded, recordedNames } from '../../phases/recorded.ts'
import { verdictsOf } from '../../support/verdicts.ts'

/**
 * The tests beside the scripts, as Argo CD's own repository wants them: what its code says of each recorded instance. They
 * are made by `APPSTEAD_RECORD=yes`, and are never behind the scripts or the recorded instances.
 */

const integrations = new URL('../../../integrations/argocd/', import.meta.url)
const customizations = new URL('resource_customizations/appstead.dev/', integrations)
const { data: argocd } = load(readFileSync(new URL('argocd-cm.yaml', integrations), 'utf8')) as {
  data: Record<string, string>
}
const instances = new Map(recordedNames().map((name) => [name, readRecorded(name)]))

const print = (value: object): string => dump(value, { lineWidth: -1, noRefs: true })

const inputPath = (name: string): string => `testdata/${name}.yaml`

/** Path below the folder of our group, and content. */
async function expectedFiles(): Promise<Readonly<Record<string, string>>> {
  const verdicts = await verdictsOf({ argocd, flux: [], objects: [...instances.values()] })
  const judged = [...instances].map(([name, instance], index) => ({ name, instance, verdict: verdicts[index]! }))
  // Of what is being deleted Argo CD does not ask the script.
  const present = judged.filter(({ instance }) => instance.metadata.deletionTimestamp === undefined)
  const tests = present.map(({ name, verdict }) => ({ healthStatus: verdict.argocd, inputPath: inputPath(name) }))
  const discoveryTests = judged.map(({ name, verdict }) => ({
    inputPath: inputPath(name),
    result: Object.entries(verdict.actions).map(([action, { disabled, displayName }]) => ({
      name: action,
      disabled,
      displayName,
    })),
  }))
  const dataOf = (folder: string, of: typeof judged): readonly (readonly [string, string])[] =>
    of.map(({ name, instance }) => [`${folder}/${inputPath(name)}`, print(instance)])
  return Object.fromEntries([
    ['_/health_test.yaml', print({ tests })],
    ...dataOf('_', present),
    ['AppInstance/actions/action_test.yaml', print({ discoveryTests })],
    ...dataOf('AppInstance/actions', judged),
  ])
}

const isOfTests = (path: string): boolean => path.includes('testdata/') || path.endsWith('_test.yaml')

// The first time on a machine the tool is built, which takes minutes.
it('holds what Argo CD itself says of each phase', async () => {
  const expected = await expectedFiles()
  if (process.env['APPSTEAD_RECORD'] === 'yes') {
    for (const [path, text] of Object.entries(expected)) {
      mkdirSync(new URL('.', new URL(path, customizations)), { recursive: true })
      writeFileSync(new URL(path, customizations), text)
    }
  }
  const paths = readdirSync(customizations, { recursive: true, encoding: 'utf8' }).filter(
    (path) => isOfTests(path) && path.endsWith('.yaml'),
  )
  const found = paths.map((path) => [path, readFileSync(new URL(path, customizations), 'utf8')])
  expect(Object.fromEntries(found)).toEqual(expected)
}, 900_000)
