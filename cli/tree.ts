import type { AppInstance } from '../operator/api/appInstance.ts'
import type { AppRelease } from '../operator/api/appRelease.ts'
import type { AppTask } from '../operator/api/appTask.ts'
import type { Condition } from '../operator/api/conditions.ts'
import { labels } from '../operator/api/meta.ts'
import { conditionOf } from '../operator/status/conditions.ts'
import { isReady, stateOf, type PodObject, type PodSeen } from './causes.ts'
import type { Colour } from './command.ts'

/** What belongs to an instance, as a tree of lines. */

/** A line, and what hangs on it. */
export interface Branch {
  readonly text: string
  readonly colour?: Colour
  readonly branches: readonly Branch[]
}

/** What a tree is made of. */
export interface Belongings {
  readonly instance: AppInstance
  readonly releases: readonly AppRelease[]
  readonly tasks: readonly AppTask[]
  readonly pods: readonly PodObject[]
}

/** Of each kind of record the newest so many are shown; the others are counted. */
const shownRecords = 3

/** The tree of an instance: its services with their pods, its newest releases and tasks. Pure. */
export function treeOf({ instance, releases, tasks, pods }: Belongings): Branch {
  const { metadata, status } = instance
  const ready = conditionOf(status?.conditions, 'Ready')
  const state = [status?.phase ?? 'not seen by the operator yet', ready?.reason].filter(Boolean).join(', ')
  const services = (status?.services ?? []).map((service) => serviceBranch(service, pods))
  const newest = releases.toSorted((a, b) => b.spec.number - a.spec.number)
  return {
    text: `AppInstance ${metadata.name}  ${state}`,
    colour: ready?.status === 'True' ? 'green' : ready?.status === 'False' ? 'red' : 'yellow',
    branches: [
      ...services,
      ...records(newest.map((release) => recordBranch('AppRelease', release))),
      ...records(tasks.toSorted(byAge).map((task) => recordBranch(`AppTask (${task.spec.type})`, task))),
    ],
  }
}

type Service = NonNullable<NonNullable<AppInstance['status']>['services']>[number]

function serviceBranch({ name, type, ready, desired, message }: Service, pods: readonly PodSeen[]): Branch {
  const isWell = ready === undefined || ready >= (desired ?? 0)
  const counts = ready === undefined ? '' : `  ${ready}/${desired}`
  return {
    text: `Service ${name} (${type})${counts}${message === undefined ? '' : `  ${message}`}`,
    colour: isWell ? 'green' : 'red',
    branches: pods
      .filter(({ metadata }) => metadata.labels?.[labels.service] === name)
      .map((pod) => ({
        text: `Pod ${pod.metadata.name}  ${isReady(pod) ? 'ready' : stateOf(pod)}`,
        colour: isReady(pod) ? 'green' : 'red',
        branches: [],
      })),
  }
}

interface Recorded {
  readonly metadata: { readonly name: string }
  readonly status?: { readonly conditions?: readonly Condition[] | undefined }
}

function recordBranch(kind: string, { metadata, status }: Recorded): Branch {
  const succeeded = conditionOf(status?.conditions, 'Succeeded')
  const isBad = succeeded?.status === 'False' && succeeded.reason !== 'Superseded'
  return {
    text: `${kind} ${metadata.name}  ${succeeded?.reason ?? 'not looked at yet'}`,
    colour: isBad ? 'red' : 'dim',
    branches: [],
  }
}

/** The first few, and how many more there are. */
function records(branches: readonly Branch[]): readonly Branch[] {
  const more = branches.length - shownRecords
  if (more <= 0) return branches
  return [...branches.slice(0, shownRecords), { text: `and ${more} older`, colour: 'dim', branches: [] }]
}

const byAge = (a: AppTask, b: AppTask): number =>
  (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '')

/** The tree as lines, with what connects them. Pure. */
export function linesOf({ text, colour, branches }: Branch, paint: (colour: Colour, text: string) => string): string[] {
  const below = branches.flatMap((branch, index) => {
    const isLast = index === branches.length - 1
    const [first = '', ...rest] = linesOf(branch, paint)
    return [`${isLast ? '└─ ' : '├─ '}${first}`, ...rest.map((line) => `${isLast ? '   ' : '│  '}${line}`)]
  })
  return [colour ? paint(colour, text) : text, ...below]
}
