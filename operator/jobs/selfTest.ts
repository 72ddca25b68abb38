import process from 'node:process'
import { pino } from 'pino'
import { configMapType } from '../api/builtin.ts'
import { readConfig } from '../config.ts'
import { declared } from '../declared.ts'
import { loadKubeConfig } from '../kube/access.ts'
import { isKubeError } from '../kube/errors.ts'
import type { KubeClient } from '../kube/client.ts'
import { makeKubeClient } from '../kube/restClient.ts'
import { objectionNow } from '../preflight.ts'

/** `helm test`: whether what was installed is what the operator needs, and whether the API server holds it in its bounds. */

/**
 * Why the policies of the API server are not in force; undefined where they are. They refuse the operator whatever is neither its
 * own nor an instance's: asked for with a dry run. Throws a KubeError.
 */
export async function objectionToFence(client: Pick<KubeClient, 'create'>): Promise<string | undefined> {
  const metadata = { namespace: 'default', name: 'appstead-self-test' }
  try {
    await client.create(configMapType, { apiVersion: 'v1', kind: 'ConfigMap', metadata }, { isDryRun: true })
  } catch (error) {
    if (isKubeError(error, 'Forbidden') && error.message.includes('ValidatingAdmissionPolicy')) return undefined
    throw error
  }
  return "The API server would let the operator's account write a ConfigMap into the namespace 'default': the chart's ValidatingAdmissionPolicies and their bindings are not in force."
}

async function main(): Promise<void> {
  const { namespace, version } = readConfig()
  const client = makeKubeClient(loadKubeConfig())
  try {
    const log = pino({ level: 'silent' })
    const objection =
      (await objectionNow({ ...declared, client, namespace, version, log })) ?? (await objectionToFence(client))
    process.stdout.write(
      `${objection ?? `Appstead ${version} on Kubernetes ${await client.version()}: its kinds, its rights and the policies of the API server are in place.`}\n`,
    )
    process.exitCode = objection === undefined ? 0 : 1
  } finally {
    await client.close()
  }
}

if (import.meta.main) await main()
