import type { KubeObject } from '../api/meta.ts'

type Requirement = (labels: Readonly<Record<string, string>>) => boolean

/**
 * The labelSelector of an Informer as a test of objects: `key`, `!key`, `key=value`, `key!=value`, joined by commas.
 * Throws a TypeError for anything else, so that a selector we cannot follow is found at start.
 */
export function parseSelector(selector: string): (object: KubeObject) => boolean {
  const requirements = selector.split(',').map((part) => parseRequirement(part.trim()))
  return (object) => {
    const labels = object.metadata.labels ?? {}
    return requirements.every((isMet) => isMet(labels))
  }
}

function parseRequirement(part: string): Requirement {
  const match = /^(?<not>!?)(?<key>[\w./-]+)(?:(?<operator>==?|!=)(?<value>[\w.-]*))?$/.exec(part)
  const { not, key = '', operator, value } = match?.groups ?? {}
  if (match === null || (not === '!' && operator !== undefined)) {
    throw new TypeError(`label selector '${part}': only key, !key, key=value and key!=value are supported`)
  }
  if (operator === undefined) return (labels) => Object.hasOwn(labels, key) !== (not === '!')
  const isEqual: Requirement = (labels) => Object.hasOwn(labels, key) && labels[key] === value
  return operator === '!=' ? (labels) => !isEqual(labels) : isEqual
}
