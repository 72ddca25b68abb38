import type { AppInstance } from '../api/appInstance.ts'
import type { AppRelease } from '../api/appRelease.ts'
import { shortHash } from '../api/canonical.ts'
import { annotations } from '../api/meta.ts'

/** What people ask of an instance by annotations whose values are the causes; each value is handled once. Pure. */
export type Requests = NonNullable<AppRelease['spec']['requests']>

const causeLimit = 256

/** The requests that stand in the annotations, cut to what a release can record. */
export function requestsOf({ metadata }: AppInstance): Requests {
  const { [annotations.deploy]: deploy, [annotations.restart]: restart } = metadata.annotations ?? {}
  return {
    ...(deploy !== undefined && { deploy: bounded(deploy) }),
    ...(restart !== undefined && { restart: bounded(restart) }),
  }
}

/** Two long causes that begin alike are two requests. */
function bounded(cause: string): string {
  const characters = [...cause]
  if (characters.length <= causeLimit) return cause
  return `${characters.slice(0, causeLimit - 10).join('')}… ${shortHash(cause, 8)}`
}

/** The requests that no release was made for: not the same as those the newest one records. */
export function unhandled(requests: Requests, newest: AppRelease | undefined): Requests {
  const { deploy, restart } = newest?.spec.requests ?? {}
  return {
    ...(requests.deploy !== undefined && requests.deploy !== deploy && { deploy: requests.deploy }),
    ...(requests.restart !== undefined && requests.restart !== restart && { restart: requests.restart }),
  }
}

/** What a release made now records: those of before, too, so that one that comes back is not taken for new. */
export function handledWith(requests: Requests, newest: AppRelease | undefined): Pick<AppRelease['spec'], 'requests'> {
  const all = { ...newest?.spec.requests, ...requests }
  return Object.keys(all).length > 0 ? { requests: all } : {}
}
