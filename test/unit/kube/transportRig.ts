import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KubeConfig } from '@kubernetes/client-node'
import { afterEach } from '@jest/globals'
import { makeKubeClient, type PooledKubeClient } from '../../../operator/kube/restClient.ts'
import { credentialsOf, type Credentials } from '../../../operator/kube/credentials.ts'
import type { KubeError } from '../../../operator/kube/errors.ts'
import type { TransportOptions } from '../../../operator/kube/transport.ts'

export const podType = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true }
export const ref = { namespace: 'n', name: 'p' }
export const pod = JSON.stringify({ metadata: { name: 'p' } })

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface Rig {
  readonly client: PooledKubeClient
  readonly server: Server
  readonly requests: IncomingMessage[]
  /** Of the client. */
  readonly credentials: Credentials
}

export interface RigOptions extends TransportOptions {
  readonly user?: object
  /** What stands before /api in the server's URL. */
  readonly path?: string
}

const ends: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** Has `end` called after the test. */
export function atEnd(end: () => Promise<void> | void): void {
  ends.push(end)
}

/** A client of a server that answers as given; the one thing an API server cannot be made to do is to misbehave at will. */
export async function makeRig(handler: Handler, options: RigOptions = {}): Promise<Rig> {
  const { user = { token: 'first' }, path = '', ...transport } = options
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    handler(request, response)
  })
  const credentials = credentialsOf(kubeConfigOf(`${await listen(server)}${path}`, user))
  const client = makeKubeClient(credentials, transport)
  atEnd(() => client.close())
  return { client, server, requests, credentials }
}

/** Listens on a port of loopback until the test is over; returns the server's URL. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export function kubeConfigOf(server: string, user: object = { token: 'first' }): KubeConfig {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: true }, { name: 'u', ...user })
  return kubeConfig
}

/** The error of a call that must fail. */
export function failure(call: Promise<unknown>): Promise<KubeError> {
  return call.then(
    () => Promise.reject(new Error('succeeded')),
    (error: KubeError) => error,
  )
}

/** Reads a watch to its end. */
export async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** Resolves once `check` holds; the test's own deadline is the limit. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 2))
}
