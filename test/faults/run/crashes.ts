import { differences } from './compare.ts'
import { play, type Ending } from './play.ts'
import { membersOf } from '../double/json.ts'
import { instance, project, type Scenario } from './scenarios.ts'
import { isEnded } from './state.ts'

/** A kill at a write, counted from 1: before it leaves, or after it was done and before the answer is there. */
export interface Crash {
  readonly write: number
  readonly when: 'before' | 'after'
}

/** What a run showed that it should not have, and what replays it. */
export interface Failure {
  readonly replay: string
  readonly differences: readonly string[]
}

/** Plays a scenario with kills; the second of two is counted over both operators' writes. */
export function playWithCrashes(scenario: Scenario, seed: number, crashes: readonly Crash[]): Promise<Ending> {
  const crashAt = ({ number }: { number: number }): Crash['when'] | undefined =>
    crashes.find(({ write }) => write === number)?.when
  return play(scenario, { seed, crashAt })
}

/** The ending, compared with the undisturbed one; each kill whose write was reached must have happened. */
export function judge(
  scenario: Scenario,
  { seed, crashes, expected, found }: { seed: number; crashes: readonly Crash[]; expected: Ending; found: Ending },
): Failure | undefined {
  const crashText = crashes.map(({ write, when }) => `${write}:${when}`).join(',')
  const replay = `npm run faults -- --seed ${seed} --scenario ${scenario.name} --crash ${crashText}`
  const kills = crashes.filter(({ write }) => write <= found.writes).length
  const { isRace } = scenario
  const list = differences(expected, found, { how: isRace ? 'at most' : 'equal', isRace, isRefusing: false })
  if (kills === 0 || found.starts !== 1 + kills) list.push(`killed ${kills} times, started ${found.starts} times`)
  return list.length === 0 ? undefined : { replay, differences: list }
}

/** What the undisturbed run itself should have come to and did not, or must never do: all others are only compared with it. */
export function judgeUndisturbed(scenario: Scenario, seed: number, ending: Ending): Failure | undefined {
  const wrong = [...ending.violations, ...unfulfilled(scenario, ending)]
  const replay = `npm run faults -- --seed ${seed} --scenario ${scenario.name} --faults none`
  return wrong.length === 0 ? undefined : { replay, differences: wrong }
}

/** What a namespace that is released keeps. */
const isKept =
  /^(namespaces|serviceaccounts [^ ]+\/default|secrets|persistentvolumeclaims|configmaps [^ ]+\/kube-root-ca\.crt)/
/** What is not the instance's, and its history, which outlives it. */
const isToStay = /^(namespaces \/hello-dev-|apptasks )/

function unfulfilled({ ends }: Scenario, { state }: Ending): string[] {
  const found = state[`appinstances ${project}/${instance}`]
  const phase = membersOf(membersOf(found)['status'])['phase']
  const open = Object.entries(state).filter(([name, task]) => name.startsWith('apptasks ') && !isEnded(membersOf(task)))
  if (open.length > 0) return open.map(([name]) => `${name} has not ended`)
  if (ends === 'Running') return phase === ends ? [] : [`the instance is not Running but ${String(phase)}`]
  const left = Object.keys(state).filter((name) => name.includes(`/${instance}`) || name.includes(` ${instance}/`))
  const mayStay = (name: string): boolean => isToStay.test(name) || (ends === 'released' && isKept.test(name))
  return left.filter((name) => !mayStay(name)).map((name) => `${name} is left`)
}

export interface Sweep {
  readonly schedules: number
  readonly failures: readonly Failure[]
}

/** Kills the operator at every write of a scenario, once before and once after it. */
export async function sweep(scenario: Scenario, seed: number): Promise<Sweep> {
  const expected = await play(scenario, { seed })
  const wrong = judgeUndisturbed(scenario, seed, expected)
  const failures: Failure[] = wrong === undefined ? [] : [wrong]
  let schedules = 0
  for (let write = 1; write <= expected.writes; write += 1) {
    for (const when of ['before', 'after'] as const) {
      const crashes = [{ write, when }]
      const found = await playWithCrashes(scenario, seed, crashes)
      const failure = judge(scenario, { seed, crashes, expected, found })
      if (failure !== undefined) failures.push(failure)
      schedules += 1
    }
  }
  return { schedules, failures }
}
