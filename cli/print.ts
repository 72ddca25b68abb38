import { stringify } from 'yaml'
import type { KubeObject, ResourceType } from '../operator/api/meta.ts'

/** An object to be printed, and of which type it is. */
export interface Printed {
  readonly type: ResourceType
  readonly object: KubeObject
}

/** Objects as kubectl prints them with -o json, yaml or name; '' for none. */
export function printed(objects: readonly Printed[], format: string): string {
  if (format === 'name') return objects.map((each) => `${nameOf(each)}\n`).join('')
  if (format === 'json') {
    const items = objects.map(({ object }) => object)
    const [only] = items
    const whole = items.length === 1 ? only : { apiVersion: 'v1', kind: 'List', items }
    return `${JSON.stringify(whole, null, 2)}\n`
  }
  return objects.map(({ object }) => yamlOf(object)).join('---\n')
}

/** As YAML. What YAML 1.1 takes for no text, such as yes, is quoted: kubectl reads it so. */
export function yamlOf(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
}

/** `appinstance.appstead.dev/shop-prod`, as kubectl names it. */
export function nameOf({ type, object }: Printed): string {
  const group = type.group === '' ? '' : `.${type.group}`
  return `${type.kind.toLowerCase()}${group}/${object.metadata.name}`
}
