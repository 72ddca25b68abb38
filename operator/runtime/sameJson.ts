/** True when both values are the same JSON: members in any order, one that is undefined the same as none. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) return isSameArray(a, b)
  return isSameObject(a as Record<string, unknown>, b as Record<string, unknown>)
}

function isSameArray(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  return a.every((item, index) => isSameJson(item, b[index]))
}

function isSameObject(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  for (const name of Object.keys(a))
    if (!isSameJson(a[name], Object.hasOwn(b, name) ? b[name] : undefined)) return false
  for (const name of Object.keys(b)) if (b[name] !== undefined && !Object.hasOwn(a, name)) return false
  return true
}
