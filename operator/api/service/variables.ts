import { z } from 'zod'
import { says, type Rule } from '../kind.ts'
import { integer, listMap, next, text, withoutNul, withRules } from '../schema.ts'

/** Environment variables of a service. */

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

const reservedPrefix: Rule<string> = {
  id: 'reserved-variable',
  rule: "!self.startsWith('APPSTEAD_')",
  message: "a variable's name may not begin with APPSTEAD_: those are set by the platform",
  messageExpression: says(
    "'%s' may not begin with 'APPSTEAD_': those are set by the platform; use another name",
    'self',
  ),
  reason: 'FieldValueForbidden',
  holds: (name) => !name.startsWith('APPSTEAD_'),
}

const unreservedName = (description: string) =>
  withRules(text(description, { max: 128, min: 1, pattern: variableName }), [reservedPrefix])

export const variableValue = text(`The value, as it is: at most 8192 characters, no NUL. ${next}`, {
  max: 8192,
  pattern: withoutNul,
})

/** variables[] of a stack's service and of an AppInstance. */
export const variables = (description: string) =>
  listMap(
    description,
    z.strictObject({
      name: unreservedName(
        `Name of the environment variable: letters, digits and _; may not begin with APPSTEAD_. ${next}`,
      ),
      value: variableValue,
    }),
    { key: 'name', max: 100 },
  )

export const generatedSecretSchema = z.strictObject({
  name: unreservedName('Name of the environment variable that holds it: letters, digits and _. Permanent.'),
  length: integer('Characters of the secret, 16 to 128. Default 64. Counts only when it is made.', 16, 128).default(64),
})
