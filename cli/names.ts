import { parse } from './parse.ts'

/** Whoever waits for a suggestion waits no longer. */
const patienceSeconds = 2

/** The names of the instances that a command line so far may mean; none where they cannot be had now. */
export async function namesFor(words: readonly string[]): Promise<readonly string[]> {
  try {
    const { call } = parse(words, { isWhole: false })
    // Words that need no cluster load no client.
    const [{ withCluster }, { appInstanceKind }] = await Promise.all([
      import('./cluster.ts'),
      import('../operator/api/appInstance.ts'),
    ])
    return await withCluster(call, async ({ client, namespace }) => {
      const options = { namespace, metadataOnly: true, timeoutSeconds: patienceSeconds }
      const { items } = await client.list(appInstanceKind, options)
      return items.map(({ metadata }) => metadata.name)
    })
  } catch {
    return []
  }
}
