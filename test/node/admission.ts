import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { makeAuthority } from '../cluster/certificates.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { networkAround } from '../cluster/network.ts'
import type { NodeWorld } from './world.ts'

/** What an admin may have set up to refuse objects: a policy in the API server, and webhooks, one of which is down. */

const name = 'appstead-test-signed'

/** Of all namespaces: it refuses Deployments and pods by their name. */
const policy: readonly object[] = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] },
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
      },
      validations: [
        {
          expression:
            "object.kind == 'Pod' ? !object.metadata.?generateName.orValue('').startsWith('barred-') : object.metadata.name != 'banned'",
          message: 'images must be signed',
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  },
]

/** Asks somebody at this address about the pods of one namespace. */
const webhook = (namespace: string, url: string, authority?: string): object => ({
  name: `${namespace}.test.appstead.dev`,
  clientConfig: { url, ...(authority !== undefined && { caBundle: Buffer.from(authority).toString('base64') }) },
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  failurePolicy: 'Fail',
  timeoutSeconds: 2,
})

/** The admin's rules, while they hold. */
export interface Admission {
  stop(): Promise<void>
}

/**
 * Refuses Deployments `banned` and pods `barred-*`, all pods of a namespace by a webhook, and those of another one by a
 * webhook that nobody answers; resolves when it does.
 */
export async function startAdmission(
  { cluster, kubectl }: NodeWorld,
  { scanned, unanswered }: { readonly scanned: string; readonly unanswered: string },
): Promise<Admission> {
  const { hostAddress } = networkAround(new URL(cluster.server).hostname)
  const authority = makeAuthority('appstead test webhook')
  const { certificate: cert, key } = authority.issue({ commonName: 'webhook', servedNames: [hostAddress] })
  const server = await listen(createServer({ cert, key }), hostAddress)
  const webhooks = [
    webhook(scanned, `https://${hostAddress}:${(server.address() as AddressInfo).port}/`, authority.certificate),
    webhook(unanswered, `https://${hostAddress}:1/`),
  ]
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks,
  }
  await kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...policy, configuration] }))
  const command = ['create', 'deployment', 'banned', '--image', 'x', '--dry-run=server']
  await waitUntil('the admin’s policy refuses', 30, async () =>
    (await kubectl.ask(...command)).stderr.includes('must be signed'),
  )
  return {
    stop: async () => {
      await kubectl.ask('delete', 'validatingwebhookconfiguration', name)
      await kubectl.ask('delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', name)
      server.close()
    },
  }
}

/** Has the server refuse whatever it is asked about. */
async function listen(server: Server, host: string): Promise<Server> {
  server.on('request', (request, response) => void refuse(request, response))
  server.listen(0, host)
  await once(server, 'listening')
  return server
}

async function refuse(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { uid } = (JSON.parse(await text(request)) as { request: { uid: string } }).request
  const verdict = { uid, allowed: false, status: { message: 'images must be scanned' } }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: verdict }))
}
