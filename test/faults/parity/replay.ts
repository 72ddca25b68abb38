import { setTimeout as pause } from 'node:timers/promises'
import type { Admin, Call, Reply } from '../../support/apiserver.ts'
import { isSame, membersOf, type Json, type Members } from '../double/json.ts'
import type { Question } from '../double/server.ts'
import { metaOf } from '../double/writes.ts'
import { formOfAnswer, formOfObject } from './forms.ts'
import type { Mapping } from './mapping.ts'
import type { Entry } from './recording.ts'

/** A request of which the two servers' answers differ. */
export interface Difference {
  readonly request: string
  readonly double: Json
  readonly real: Json
}

/** Sends the recorded requests to a real server, in order, and compares each answer. */
export async function replay(admin: Admin, entries: readonly Entry[], mapping: Mapping): Promise<Difference[]> {
  const found: Difference[] = []
  for (const entry of entries) {
    if (entry.kind !== 'request') {
      const isSo = entry.kind === 'removed' ? isGone : isLeaving
      const isDone = await until(admin, mapping.toReal(entry.path), isSo)
      if (!isDone) found.push({ request: `removal of ${entry.path}`, double: entry.kind, real: 'still there' })
      continue
    }
    const call = callOf(entry.question, mapping)
    if (call.method === 'DELETE' && isNamespace.test(call.path)) await letPodsGo(admin, call.path)
    const { status, body } = await admin(call)
    mapping.learn(entry.body, body)
    const double = formOf(entry.question, entry.status, entry.body)
    const real = formOf(entry.question, status, mapping.fromReal(body))
    if (!isSame(plain(double), plain(real))) {
      found.push({ request: `${entry.question.method} ${entry.question.path}`, double, real })
    }
  }
  return found
}

const isNamespace = /^\/api\/v1\/namespaces\/[^/?]+$/

/** No kubelet is there that would end a Job's pods: they, and their namespace, would be held until garbage is looked for. */
async function letPodsGo(admin: Admin, namespace: string): Promise<void> {
  const { items } = (await admin({ path: `${namespace}/pods` })).body as { readonly items: readonly Members[] }
  for (const pod of items) {
    const path = `${namespace}/pods/${metaOf(pod).name}`
    await admin({ method: 'PATCH', path, body: { metadata: { finalizers: null } } })
  }
}

/** Without members that are undefined. */
export function plain(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}

/** The request as the real server gets it. */
export function callOf({ method, path, body, contentType, accept }: Question, mapping: Mapping): Call {
  return {
    method: method as NonNullable<Call['method']>,
    path: mapping.toReal(path),
    ...(body === undefined ? {} : { body: mapping.bodyToReal(body) }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(accept === undefined || accept === '' ? {} : { accept }),
  }
}

function formOf({ path }: Question, status: number, body: Json): Json {
  // The double keeps of a CRD that it is there.
  if (path.includes('/customresourcedefinitions/')) return { status }
  const { kind, items } = membersOf(body)
  if (typeof kind !== 'string' || !kind.endsWith('List')) return formOfAnswer(status, body)
  // The real controller-manager makes pods of its own.
  const ours = kind === 'PodList' ? [] : ((items ?? []) as Members[]).filter(isOurs)
  return { status, items: ours.map((item) => formOfObject(item)) }
}

/** The real cluster has more in it than the double. */
function isOurs(item: Members): boolean {
  const { name, namespace = name } = metaOf(item)
  return !['kube-root-ca.crt', 'default'].includes(name) && /^(hello|shop)(-|$)/.test(namespace)
}

const isGone = ({ status }: Reply): boolean => status === 404
const isLeaving = ({ body }: Reply): boolean => metaOf(body as Members).deletionTimestamp !== undefined

/** Whether the rest of the real cluster comes so far too, in its own time. */
async function until(admin: Admin, path: string, isSo: (reply: Reply) => boolean): Promise<boolean> {
  const deadline = Date.now() + 30_000
  while (!isSo(await admin({ path }))) {
    if (Date.now() > deadline) return false
    await pause(50)
  }
  return true
}
