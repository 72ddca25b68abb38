/** Values as JSON knows them. What the double stores is never changed in place: a changed value is a new one. */
export type Json = unknown
export type Members = Readonly<Record<string, Json>>

export function isMembers(value: Json): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The member as an object; {} when it is none. */
export function membersOf(value: Json): Members {
  return isMembers(value) ? value : {}
}

/** `value` with a member set, or taken away when it is undefined. */
export function withMember(value: Members, name: string, member: Json): Members {
  if (member !== undefined) return { ...value, [name]: member }
  const { [name]: _dropped, ...rest } = value
  return rest
}

/** `value` without the members that are null, at any depth; the same value when it has none. */
export function withoutNulls<T extends Json>(value: T): T
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) {
    const made = value.map((item: Json) => withoutNulls(item))
    return made.every((item, index) => item === value[index]) ? value : made
  }
  if (!isMembers(value)) return value
  let made: Members = value
  for (const [name, member] of Object.entries(value)) {
    const kept = member === null ? undefined : withoutNulls(member)
    if (kept !== member) made = withMember(made, name, kept)
  }
  return made
}

/** Whether two values are the same JSON; the order of members does not count. */
export function isSame(a: Json, b: Json): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => isSame(item, b[i]))
  if (!isMembers(a) || !isMembers(b)) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => name in b && isSame(a[name], b[name]))
}

const texts = new WeakMap<object, string>()

/** The JSON text of an object; made once for each. */
export function textOf(object: object): string {
  const known = texts.get(object)
  if (known !== undefined) return known
  const text = JSON.stringify(object)
  texts.set(object, text)
  return text
}
