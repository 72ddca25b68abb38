import { request } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import type { Pair } from './certificates.ts'

/** An API server and who we are to it. */
export interface Connection {
  server: string
  authority: string
  client: Pair
}

/** An answer of the API server; the body is parsed where it is JSON. */
export interface Answer {
  status: number
  body: unknown
}

/** What to ask for. */
export interface Question {
  method?: string
  path: string
  body?: unknown
  contentType?: string
}

/**
 * Sends one request to the API server. The operator's own client is not used here: the cluster must work before it does.
 * Throws on a network error or after two seconds; an answer of any status is returned.
 */
export async function ask(connection: Connection, question: Question): Promise<Answer> {
  const { method = 'GET', path, body, contentType = 'application/json' } = question
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, connection.server),
      {
        method,
        agent: false,
        timeout: 2000,
        ca: connection.authority,
        cert: connection.client.certificate,
        key: connection.client.key,
        headers: body === undefined ? {} : { 'content-type': contentType },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, body: parseBody(Buffer.concat(chunks).toString()) }),
        )
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${connection.server} did not answer in 2 s`)))
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

/** Whether a GET of this path is answered with 200; false also when nobody answers. */
export async function answers(connection: Connection, path: string): Promise<boolean> {
  try {
    return (await ask(connection, { path })).status === 200
  } catch {
    return false
  }
}

/** Creates an object; one of that name that is already there is left as it is. Throws with the server's own words. */
export async function create(connection: Connection, path: string, object: unknown): Promise<void> {
  const { status, body } = await ask(connection, { method: 'POST', path, body: object })
  if (status >= 300 && status !== 409) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`)
}

/** Asks again and again until it is so. Throws after the time limit, or at once when `check` throws. */
export async function waitUntil(what: string, limitSeconds: number, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + limitSeconds * 1000
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`${what}: not so after ${limitSeconds} s`)
    await pause(50)
  }
}

/** The part of a Node that says whether it takes pods. */
export interface NodeObject {
  status?: { conditions?: { type: string; status: string }[] }
}

/** Whether a node takes pods. */
export function isReady(node: NodeObject): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}
