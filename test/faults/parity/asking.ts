import { isSame, membersOf, type Json, type Members } from '../double/json.ts'
import type { Double, Question, StreamEvent } from '../double/server.ts'
import { metaOf } from '../double/writes.ts'
import { formOfAnswer, formOfObject } from './forms.ts'
import type { Mapping } from './mapping.ts'
import type { RealServer } from './realServer.ts'
import { callOf, plain, type Difference } from './replay.ts'

/** One request to both servers: what they are and how they speak of the same things. */
export interface Both {
  readonly server: RealServer
  readonly double: Double
  readonly mapping: Mapping
}

/** Asks both; returns the difference of their answers if there is one. */
export async function askBoth(both: Both, question: Question): Promise<Difference | undefined> {
  const [ours, real] = question.path.includes('watch=1')
    ? await watchBoth(both, question)
    : await answersOf(both, question)
  if (isSame(plain(ours), plain(real))) return undefined
  return { request: JSON.stringify(question), double: ours, real }
}

/** Forms of what each answers; of a list, page by page. */
async function answersOf({ server, double, mapping }: Both, question: Question): Promise<readonly [Json, Json]> {
  const call = callOf(question, mapping)
  const [ours, real]: [Json[], Json[]] = [[], []]
  let [token, realToken] = ['', '']
  do {
    const expected = double.handle({ ...question, path: withToken(question.path, token) }, 'user')
    const answer = await server.admin({ ...call, path: withToken(call.path, realToken) })
    const isWhole = isWhollyOurs(question)
    ours.push([
      formOfAnswer(expected.status, expected.body, isWhole),
      versionForm(expected.body, isWhole, (version) => (mapping.knows(version) ? version : undefined)),
    ])
    real.push([
      formOfAnswer(answer.status, mapping.fromReal(answer.body), isWhole),
      versionForm(answer.body, isWhole, (version) => mapping.recordedVersion(version)),
    ])
    mapping.learn(expected.body, answer.body)
    ;[token, realToken] = [continueOf(expected.body), continueOf(answer.body)]
  } while (token !== '' && realToken !== '')
  return [ours, real]
}

/** Of Deployments the double knows no defaults; these and namespaces others write too in the real cluster, claims in the double. */
function isWhollyOurs({ path }: Question): boolean {
  const others = /\/(deployments|persistentvolumeclaims)(\/|$)|\/namespaces(\/[^/]*)?$/
  return !others.test(path.replace(/\?.*/, ''))
}

function withToken(path: string, token: string): string {
  return token === '' ? path : `${path}&continue=${encodeURIComponent(token)}`
}

function continueOf(body: Json): string {
  return (membersOf(membersOf(body)['metadata'])['continue'] as string | undefined) ?? ''
}

/** Which of the resourceVersions seen before an object has; a new one is as good as any other. */
function versionForm(body: Json, isWhole: boolean, recorded: (version: string) => string | undefined): Json {
  const { resourceVersion = '' } = membersOf(membersOf(body)['metadata']) as { resourceVersion?: string }
  const isList = 'items' in membersOf(body)
  return isWhole && !isList ? (recorded(resourceVersion) ?? 'new') : 'any'
}

/** Forms of what a watch tells that begins where something was. */
async function watchBoth({ server, double, mapping }: Both, question: Question): Promise<readonly [Json, Json]> {
  const from = /resourceVersion=(\d+)/.exec(question.path)?.[1] ?? ''
  // The rest of the cluster wrote it, and how the real server counted that is not known.
  if (!mapping.knows(from)) return [none, none]
  const told: StreamEvent[] = []
  const watching = double.watch(
    question,
    (event) => told.push(event),
    () => undefined,
  )
  if ('close' in watching) watching.close()
  const isWhole = isWhollyOurs(question)
  const { path, accept } = callOf(question, mapping)
  const seen = await server.collect(path, accept, isOfRun, told.length)
  return [
    told.map((event) => eventForm(event, isWhole)),
    seen.map((event) => eventForm(mapping.fromReal(event), isWhole)),
  ]
}

const none: Json = []

/** The real cluster puts a ConfigMap of its own into each namespace, and bookmarks come when they come. */
function isOfRun({ type, object }: StreamEvent): boolean {
  return type !== 'BOOKMARK' && (type === 'ERROR' || metaOf(object as Members).name.startsWith('hello'))
}

function eventForm({ type, object }: StreamEvent, isWhole: boolean): Json {
  return { type, object: type === 'ERROR' ? object : formOfObject(object as Members, isWhole) }
}
