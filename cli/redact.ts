/** Takes out of objects what is nobody else's business, and out of texts what was taken out of objects. */

const redacted = '[redacted]'

/** Shorter ones are in too many words. */
const shortest = 6

/** Members whose whole content is somebody's own: programs are given secrets as words, too. */
const ownContent: ReadonlySet<string> = new Set(['args', 'binaryData', 'command', 'content', 'data', 'stringData'])

/** Members that are lists of names with values; those of the platform are no secrets. */
const valued: ReadonlySet<string> = new Set(['env', 'variables'])

/**
 * The same objects without the values of variables, words of commands, contents of files and Secrets, annotations of others
 * and managed fields; what was taken out is also replaced where another text quotes it, as are these secrets, but for
 * names, which are known to everybody. Pure.
 */
export function redact(
  objects: readonly unknown[],
  { secrets: known, names }: { readonly secrets: readonly string[]; readonly names: readonly string[] },
): readonly unknown[] {
  const found = new Set(known.filter((each) => each.length >= shortest))
  const cut = objects.map((object) => withoutValues(object, found))
  for (const name of names) found.delete(name)
  // The longest first: one may be a part of another.
  const secrets = [...found].toSorted((a, b) => b.length - a.length)
  return cut.map((object) => withoutTexts(object, secrets))
}

function withoutValues(value: unknown, found: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutValues(each, found))
  if (!isFields(value)) return value
  const members = Object.entries(value)
    .filter(([name]) => name !== 'managedFields')
    .map(([name, member]) => [name, withoutMember(name, member, found)] as const)
  return Object.fromEntries(members)
}

function withoutMember(name: string, member: unknown, found: Set<string>): unknown {
  if (ownContent.has(name)) return takenOut(member, found)
  // What a process said at its end.
  if (name === 'terminated' && isFields(member) && 'message' in member)
    return { ...member, message: takenOut(member['message'], found) }
  if (name === 'annotations' && isFields(member))
    return Object.fromEntries(Object.entries(member).filter(([key]) => key.split('/')[0]?.endsWith('appstead.dev')))
  if (!valued.has(name) || !Array.isArray(member)) return withoutValues(member, found)
  return member.map((each: unknown) =>
    isFields(each) && 'value' in each && !String(each['name']).startsWith('APPSTEAD_')
      ? { ...(withoutValues(each, found) as object), value: takenOut(each['value'], found) }
      : withoutValues(each, found),
  )
}

/** The same shape, all texts of it taken out and remembered. */
function takenOut(value: unknown, found: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((each) => takenOut(each, found))
  if (isFields(value))
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, takenOut(each, found)]))
  const text = String(value)
  if (text.length >= shortest) found.add(text)
  return redacted
}

function withoutTexts(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string')
    return secrets.reduce((text, secret) => text.replaceAll(secret, redacted), withoutLine(value))
  if (Array.isArray(value)) return value.map((each) => withoutTexts(each, secrets))
  if (!isFields(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutTexts(each, secrets)]))
}

/** A status quotes the last line of a process. Nobody knows what is in it. */
const withoutLine = (text: string): string =>
  text.replace(/last line: .*?(?=; see kubectl|$)/gs, `last line: ${redacted}`)

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
