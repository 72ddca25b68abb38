import { createHash } from 'node:crypto'
import { isMembers, membersOf, textOf, type Json, type Members } from '../double/json.ts'
import type { Served } from '../double/served.ts'
import { metaOf } from '../double/writes.ts'

/** One write of the rest of the cluster. */
export type Act = () => void

/** The path of an object. */
export function pathOf({ type }: Served, object: Members): string {
  const { name, namespace } = metaOf(object)
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
  return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${type.plural}/${name}`
}

/** A short hash of a template, as in names of pods. */
export function templateHash(template: Json): string {
  return createHash('sha1')
    .update(textOf(template as object))
    .digest('hex')
    .slice(0, 8)
}

/** The image a Deployment's pods run; undefined when there is none. */
export function imageOf(deployment: Members | undefined): Json {
  return containerOf(deployment)['image']
}

/** The program that the pods of a Job run, and its arguments; undefined when there is none. */
export function commandOf(job: Members): readonly Json[] | undefined {
  const { command } = containerOf(job)
  return Array.isArray(command) ? command : undefined
}

function containerOf(workload: Members | undefined): Members {
  const template = membersOf(membersOf(workload?.['spec'])['template'])
  const { containers } = membersOf(template['spec'])
  const first: Json = Array.isArray(containers) ? containers[0] : undefined
  return isMembers(first) ? first : {}
}
