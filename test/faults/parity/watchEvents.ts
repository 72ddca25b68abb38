import { setTimeout as pause } from 'node:timers/promises'
import { isSame, type Json, type Members } from '../double/json.ts'
import { servedKind } from '../double/served.ts'
import { metaOf } from '../double/writes.ts'
import { formOfObject } from './forms.ts'
import type { Mapping } from './mapping.ts'
import type { RealServer } from './realServer.ts'
import type { Recording } from './recording.ts'
import { plain, type Difference } from './replay.ts'

/** What a watch of the real server told of each object, by `plural namespace/name`. */
export type RealEvents = Map<string, { readonly type: string; readonly object: Members }[]>

/** Watches every type of which the recording has events. */
export async function watchTypes(server: RealServer, kinds: readonly string[]): Promise<RealEvents> {
  const events: RealEvents = new Map()
  for (const kind of kinds) {
    const { group, version, plural } = servedKind(kind).type
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    await server.watch(`${root}/${plural}`, ({ type, object }) => {
      const { namespace = '', name } = metaOf(object as Members)
      const key = `${plural} ${namespace}/${name}`
      events.set(key, [...(events.get(key) ?? []), { type, object: object as Members }])
    })
  }
  return events
}

/** Of these, others than the operator change what the form does not show: equal forms in a row count once. */
const collapsed = /^(namespaces|deployments|poddisruptionbudgets) /

/** Where the events of an object differ; waits for those that are still on their way. */
export async function compareEvents(recording: Recording, real: RealEvents, mapping: Mapping): Promise<Difference[]> {
  const found: Difference[] = []
  for (const [name, events] of recording.events) {
    const key = mapping.toReal(name)
    const seen = (): readonly Json[] =>
      collapse(
        name,
        (real.get(key) ?? []).map(({ type, object }) => ({ type, form: formOfObject(mapping.fromReal(object)) })),
      )
    const expected = plain(collapse(name, events as readonly Shown[]))
    for (let tries = 0; tries < 100 && !isSame(plain(seen()), expected); tries += 1) await pause(50)
    if (!isSame(plain(seen()), expected)) found.push({ request: `watch ${name}`, double: expected, real: seen() })
  }
  return found
}

interface Shown {
  readonly type: string
  readonly form: Json
}

function collapse(name: string, events: readonly Shown[]): readonly Shown[] {
  if (!collapsed.test(name)) return events
  const isNews = ({ type, form }: Shown, index: number): boolean =>
    type !== 'MODIFIED' || !isSame(plain(form), plain(events[index - 1]?.form ?? null))
  return events.filter(isNews)
}
