import { says, type RootSelf, type Rule } from './kind.ts'
import { dnsLabel } from './schema.ts'

/** Rules for metadata.name, which no schema can hold: CEL at the root of a kind. */

/** Longest name of an App: one dash and one character more must fit into an instance's name. */
export const maxAppName = 61
/** Longest name of a namespace, and so of an AppInstance. */
export const maxInstanceName = 63

const label = dnsLabel.source

/** A rule that the name is a DNS label, and one for its length; `why` says where the limit comes from. */
export function nameRules({ kind, max, why }: { kind: string; max: number; why: string }): readonly Rule<RootSelf>[] {
  return [
    {
      id: 'name-is-label',
      rule: `self.metadata.name.matches('${label}')`,
      message: `the name of an ${kind} must be lower-case letters, digits and dashes`,
      messageExpression: says(
        `metadata.name '%s' must be lower-case letters, digits and dashes, with a letter or digit at both ends: ${why}`,
        'self.metadata.name',
      ),
      fieldPath: '.metadata.name',
      reason: 'FieldValueInvalid',
      holds: ({ metadata }) => dnsLabel.test(metadata.name),
    },
    {
      id: 'name-length',
      rule: `size(self.metadata.name) <= ${max}`,
      message: `the name of an ${kind} may have at most ${max} characters`,
      messageExpression: says(
        `metadata.name '%s' has %d characters and may have ${max}: shorten it by %d; ${why}`,
        'self.metadata.name',
        'size(self.metadata.name)',
        `size(self.metadata.name) - ${max}`,
      ),
      fieldPath: '.metadata.name',
      reason: 'FieldValueInvalid',
      holds: ({ metadata }) => metadata.name.length <= max,
    },
  ]
}
