import { isMembers, isSame, type Json } from '../double/json.ts'
import type { Ending } from './play.ts'
import { comparable } from './state.ts'

/**
 * How strictly: `equal` creates and deletes of each child, `at most` as many where the user came in between, and `by
 * hand` where a user changed children: then they may be made or written again, but the end is the same.
 */
export type Strictness = 'equal' | 'at most' | 'by hand'

/** Of what kind a run was. */
export interface Circumstances {
  readonly how: Strictness
  /** Whether the user came in between. */
  readonly isRace: boolean
  /** Whether the API server refused requests. */
  readonly isRefusing: boolean
}

/** In what an ending differs from that of the undisturbed run; empty when it is the same. */
export function differences(expected: Ending, found: Ending, circumstances: Circumstances): string[] {
  const { how } = circumstances
  const [wanted, seen] = [expected, found].map(({ state }) =>
    comparable(how === 'by hand' ? bare(state) : state, circumstances),
  ) as [Ending['state'], Ending['state']]
  return [
    ...found.violations.filter((text) => how !== 'by hand' || !/^I[56]/.test(text)),
    ...stateDifferences(wanted, seen),
    ...(how === 'by hand' ? [] : countDifferences(expected, found, circumstances)),
  ]
}

/** Without what tells that something was made or written more than once. */
function bare(state: Ending['state']): Ending['state'] {
  const text = JSON.stringify(state, (name, value: unknown) =>
    ['uid', 'generation', 'observedGeneration'].includes(name) ? undefined : value,
  )
  return JSON.parse(text) as Ending['state']
}

function stateDifferences(expected: Ending['state'], found: Ending['state']): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])]
  return names.flatMap((name) => {
    if (isSame(expected[name], found[name])) return []
    if (expected[name] === undefined) return [`I1: there is ${name}, undisturbed there is none`]
    if (found[name] === undefined) return [`I1: there is no ${name}`]
    return [`I1: ${name} differs: ${firstDifference(expected[name], found[name], '')}`]
  })
}

function firstDifference(expected: Json, found: Json, path: string): string {
  if (isMembers(expected) && isMembers(found)) {
    const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])]
    const name = names.find((each) => !isSame(expected[each], found[each])) ?? ''
    return firstDifference(expected[name], found[name], `${path}.${name}`)
  }
  if (Array.isArray(expected) && Array.isArray(found) && expected.length === found.length) {
    const index = expected.findIndex((item, at) => !isSame(item, found[at]))
    return firstDifference(expected[index], found[index], `${path}[${index}]`)
  }
  return `${path}: ${JSON.stringify(expected)} undisturbed, here ${JSON.stringify(found)}`
}

/** Between a retry that was recorded, and its end that was refused a record, nothing is locked. */
const lock = /^(create|delete) applocks /
/** A deletion goes on where its record is refused. */
const deletionTask = /^create apptasks .*-delete-\d+$/

function countDifferences(
  { counts: expected }: Ending,
  { counts: found }: Ending,
  { how, isRefusing }: Circumstances,
): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])]
  return names.flatMap((name) => {
    const [wanted, seen] = [expected[name] ?? 0, found[name] ?? 0]
    const mayBeLess = how === 'at most' || (isRefusing && deletionTask.test(name))
    const isRight = (isRefusing && lock.test(name)) || (mayBeLess ? seen <= wanted : wanted === seen)
    return isRight ? [] : [`I8: ${name}: ${seen} times, undisturbed ${wanted}`]
  })
}
