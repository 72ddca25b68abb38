import { isMembers, membersOf, withMember, withoutNulls, type Json, type Members } from './json.ts'
import type { Served } from './served.ts'
import { withDefaults } from './shapes.ts'

/** An object as the server stores it: without what is null or empty, and with what it fills in. */
export function filledIn(served: Served, given: Members): Members {
  const object = withoutNulls(given)
  const filled = served.type.kind === 'Secret' ? withData(object) : object
  const whole = withDefaults(withoutEmpty(served, filled), served.schema ?? {}) as Members
  if (served.type.kind !== 'Namespace') return whole
  const metadata = membersOf(whole['metadata'])
  const labels = { ...membersOf(metadata['labels']), 'kubernetes.io/metadata.name': metadata['name'] }
  return { ...whole, metadata: { ...metadata, labels } }
}

/** Lists and maps of metadata that are empty are as none, and so are data. */
function withoutEmpty({ schema }: Served, object: Members): Members {
  const metadata = Object.entries(membersOf(object['metadata'])).filter(([, value]) => !isHollow(value))
  const made: Members = { ...object, metadata: Object.fromEntries(metadata) }
  const isDataHollow = schema === undefined && isHollow(made['data'])
  return isDataHollow ? withMember(made, 'data', undefined) : made
}

function isHollow(value: Json): boolean {
  return Array.isArray(value) ? value.length === 0 : isMembers(value) && Object.keys(value).length === 0
}

/** A Secret with the texts it was given among its data. */
function withData({ stringData, ...rest }: Members): Members {
  if (stringData === undefined) return rest
  const encoded = Object.entries(membersOf(stringData)).map(([key, value]) => [key, btoa(value as string)])
  return { ...rest, data: { ...membersOf(rest['data']), ...Object.fromEntries(encoded) } }
}
