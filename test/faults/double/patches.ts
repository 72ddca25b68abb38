import { isMembers, isSame, type Json, type Members } from './json.ts'

/** An operation of a JSON patch (RFC 6902), as far as the double knows them. */
interface Operation {
  readonly op: string
  readonly path: string
  readonly value?: Json
}

/** A JSON patch that does not fit the document, as the server says it. */
export class PatchRefused extends Error {
  override readonly name = 'PatchRefused'
}

/** The document with a JSON patch applied; throws PatchRefused when an operation does not fit. */
export function withJsonPatch(document: Json, operations: readonly Operation[]): Json {
  let made = document
  for (const operation of operations) {
    const steps = operation.path.split('/').slice(1).map(unescape)
    made = operate(made, steps, operation)
  }
  return made
}

function unescape(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}

function operate(value: Json, steps: readonly string[], operation: Operation): Json {
  const [step, ...rest] = steps
  if (step === undefined) return atEnd(value, operation)
  if (rest.length === 0 && operation.op !== 'test') return change(value, step, operation)
  const below = childOf(value, step)
  if (below === undefined && operation.op === 'test' && operation.value === null) return value
  if (below === undefined) throw new PatchRefused(`${operation.op} ${operation.path}: there is no such path`)
  const made = operate(below, rest, operation)
  return made === below ? value : put(value, step, made)
}

function atEnd(value: Json, { op, path, value: wanted }: Operation): Json {
  if (op === 'test' && isSame(value, wanted)) return value
  if (op === 'replace' || op === 'add') return wanted
  throw new PatchRefused(`${op} ${path} failed`)
}

function childOf(value: Json, step: string): Json {
  if (Array.isArray(value)) return value[Number(step)] as Json
  return isMembers(value) ? value[step] : undefined
}

function put(value: Json, step: string, child: Json): Json {
  if (Array.isArray(value)) return value.with(Number(step), child)
  return { ...(value as Members), [step]: child }
}

function change(value: Json, step: string, operation: Operation): Json {
  if (Array.isArray(value)) return changeList(value, step, operation)
  if (!isMembers(value)) throw new PatchRefused(`${operation.op} ${operation.path}: its parent is no object`)
  // To replace what is not there is to add it.
  if (operation.op === 'remove' && !(step in value))
    throw new PatchRefused(`${operation.op} ${operation.path}: not there`)
  if (operation.op !== 'remove') return { ...value, [step]: operation.value }
  const { [step]: _removed, ...rest } = value
  return rest
}

function changeList(list: readonly Json[], step: string, { op, path, value }: Operation): Json {
  const index = step === '-' ? list.length : Number(step)
  const isThere = index < list.length || (op === 'add' && index === list.length)
  if (!Number.isInteger(index) || index < 0 || !isThere) throw new PatchRefused(`${op} ${path}: no such index`)
  return op === 'replace'
    ? list.with(index, value)
    : list.toSpliced(index, op === 'remove' ? 1 : 0, ...given(op, value))
}

function given(op: string, value: Json): Json[] {
  return op === 'remove' ? [] : [value]
}

/** The document with a JSON merge patch (RFC 7386) applied. */
export function withMergePatch(document: Json, patch: Json): Json {
  if (!isMembers(patch)) return patch
  const made: Record<string, Json> = { ...(isMembers(document) ? document : {}) }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete made[name]
    else made[name] = withMergePatch(made[name], value)
  }
  return made
}
