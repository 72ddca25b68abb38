import process from 'node:process'
import { appInstanceKind } from '../api/appInstance.ts'
import { refOf, type ResourceType } from '../api/meta.ts'
import { listed } from '../api/text.ts'
import { controllers } from '../controllers/controllers.ts'
import { loadKubeConfig } from '../kube/access.ts'
import { isKubeError } from '../kube/errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { makeKubeClient } from '../kube/restClient.ts'

/**
 * What `helm uninstall` asks before it removes anything, as a Job of the chart: fails while there is something that the operator
 * alone can let go.
 */

/** Named in the refusal; more are counted. */
const namedObjects = 5

/** Kinds whose objects go when the operator takes its finalizer off. */
const held: readonly ResourceType[] = controllers
  .filter(({ finalizer }) => finalizer !== undefined)
  .map(({ kind }) => kind)

const otherwise = 'To uninstall all the same: the same command with --no-hooks.'

/**
 * Why the operator must not be uninstalled now; undefined where nothing is in the way.
 * In: a client, whether the CustomResourceDefinitions are removed, too. Throws a KubeError.
 */
export async function objectionToUninstall(
  client: Pick<KubeClient, 'list'>,
  withDefinitions: boolean,
): Promise<string | undefined> {
  const instances = await namesOf(client, appInstanceKind)
  if (instances.length > 0)
    return `${counted('AppInstance', instances)}. Without the operator what runs goes on running, and nobody heals or removes it. ${removal([appInstanceKind])} ${otherwise}`
  if (!withDefinitions) return undefined
  for (const type of held) {
    const names = await namesOf(client, type)
    if (names.length > 0)
      return `${counted(type.kind, names)}. The CustomResourceDefinitions go with the release (crds.keep is false), and wait for ever for what the operator alone lets go. ${removal(held)} ${otherwise}`
  }
  return undefined
}

function counted(kind: string, names: readonly string[]): string {
  const what = names.length === 1 ? `There is 1 ${kind}` : `There are ${names.length} ${kind}s`
  return `${what}: ${listed(names, namedObjects)}`
}

const removal = (types: readonly ResourceType[]): string =>
  `To remove them first: kubectl delete ${types.map(({ plural }) => plural).join()} --all --all-namespaces.`

/** Of all objects of a type, such as shop/shop-prod; none where the type is not there. */
async function namesOf(client: Pick<KubeClient, 'list'>, type: ResourceType): Promise<readonly string[]> {
  const names: string[] = []
  let continueToken = ''
  try {
    do {
      const page = await client.list(type, { metadataOnly: true, limit: 500, continueToken })
      names.push(
        ...page.items.map(refOf).map(({ namespace, name }) => (namespace === '' ? name : `${namespace}/${name}`)),
      )
      ;({ continueToken } = page)
    } while (continueToken !== '')
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error
  }
  return names
}

async function main(): Promise<void> {
  const client = makeKubeClient(loadKubeConfig())
  try {
    const objection = await objectionToUninstall(client, process.argv.includes('--with-definitions'))
    if (objection === undefined) return
    process.stderr.write(`${objection}\n`)
    process.exitCode = 1
  } finally {
    await client.close()
  }
}

if (import.meta.main) await main()
