import { isMembers, isSame, type Json } from '../double/json.ts'
import type { Ending } from './play.ts'

/**
 * How strictly: `equal` creates and deletes of each child, `at most` as many where the user came in between, and `by
 * hand` where a user changed children: then they may be made or written again, but the end is the same.
 */
export type Strictness = 'equal' | 'at most' | 'by hand'

/** In what an ending differs from that of the undisturbed run; empty when it is the same. */
export function differences(expected: Ending, found: Ending, how: Strictness): string[] {
  const [wanted, seen] = how === 'by hand' ? [bare(expected.state), bare(found.state)] : [expected.state, found.state]
  return [
    ...found.violations.filter((text) => how !== 'by hand' || !/^I[56]/.test(text)),
    ...stateDifferences(wanted, seen),
    ...(how === 'by hand' ? [] : countDifferences(expected, found, how)),
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

function countDifferences({ counts: expected }: Ending, { counts: found }: Ending, how: Strictness): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])]
  return names.flatMap((name) => {
    const [wanted, seen] = [expected[name] ?? 0, found[name] ?? 0]
    const isRight = how === 'equal' ? wanted === seen : seen <= wanted
    return isRight ? [] : [`I8: ${name}: ${seen} times, undisturbed ${wanted}`]
  })
}
