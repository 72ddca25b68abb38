import { z } from 'zod'
import { says, type Rule } from '../kind.ts'
import { integer, listMap, next, text, withoutNul, withRules } from '../schema.ts'
import { serviceName } from './name.ts'
import { configMapKeyRef, dataKey, secretKeyRef } from './references.ts'

/** Environment variables of a service. */

export const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

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

const givenName = unreservedName(
  `Name of the environment variable: letters, digits and _; may not begin with APPSTEAD_. ${next}`,
)

export const variableValue = text(`The value, as it is: at most 8192 characters, no NUL. ${next}`, {
  max: 8192,
  pattern: withoutNul,
})

/** What each replica can be told about itself. */
export const fieldPath = z.enum([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'status.hostIP',
  'status.podIP',
  'status.podIPs',
])

const fromElsewhere = `Where the value comes from, instead of value. ${next}`

const valueFrom = z
  .strictObject({
    secretKeyRef: secretKeyRef.optional(),
    configMapKeyRef: configMapKeyRef.optional(),
    fieldRef: z
      .strictObject({
        fieldPath: fieldPath.meta({
          description: `metadata.name, metadata.namespace, metadata.uid, spec.nodeName, status.hostIP, status.podIP or status.podIPs of the pod. ${next}`,
        }),
      })
      .optional()
      .meta({ description: `Something each replica is told about itself. ${next}` }),
  })
  .meta({ description: fromElsewhere })

const valueFromLinks = valueFrom
  .extend({
    link: z
      .strictObject({
        service: serviceName.meta({
          description: `Name of a service listed earlier, one that answers on a port. ${next}`,
        }),
        key: dataKey(
          `What of it: host, port, or, where it speaks HTTP, uri. Of a database username, password, database or any other key of its Secret, too. ${next}`,
        ),
      })
      .optional()
      .meta({
        description: `What a link to another service tells, by a name of one's own. Implies dependsOn. ${next}`,
      }),
  })
  .meta({ description: fromElsewhere })

/** Exactly one of value and these of valueFrom. */
function oneValue(sources: readonly string[]) {
  const all = `${sources.slice(0, -1).join(', ')} or ${sources.at(-1)}`
  const given = sources.map((name) => `has(self.valueFrom) && has(self.valueFrom.${name})`)
  return {
    id: 'one-value',
    rule: `[has(self.value), ${given.join(', ')}].exists_one(given, given)`,
    message: `a variable must have exactly one of value and valueFrom: ${all}`,
    messageExpression: says(`variable '%s' must have exactly one of value and valueFrom: ${all}`, 'self.name'),
    reason: 'FieldValueInvalid',
    holds: ({ value, valueFrom: from = {} }: { value?: unknown; valueFrom?: object | undefined }) =>
      [value, ...Object.values(from)].filter((each) => each !== undefined).length === 1,
  } as const
}

const sources = ['secretKeyRef', 'configMapKeyRef', 'fieldRef'] as const

/** variables[] of an App and an AppInstance. */
export function variables(description: string) {
  const variable = z.strictObject({
    name: givenName,
    value: variableValue.optional(),
    valueFrom: valueFrom.optional(),
  })
  return listMap(description, withRules(variable, [oneValue(sources)]), { key: 'name', max: 100 })
}

/** variables[] of a stack's service: it alone knows the other services. */
export function serviceVariables(description: string) {
  const variable = z.strictObject({
    name: givenName,
    value: variableValue.optional(),
    valueFrom: valueFromLinks.optional(),
  })
  return listMap(description, withRules(variable, [oneValue([...sources, 'link'])]), { key: 'name', max: 100 })
}

/** variables[] of an AppEnv: it belongs to no project, so that it can refer to nothing. */
export const plainVariables = (description: string) =>
  listMap(description, z.strictObject({ name: givenName, value: variableValue }), { key: 'name', max: 100 })

export const generatedSecretSchema = z.strictObject({
  name: unreservedName('Name of the environment variable that holds it: letters, digits and _. Permanent.'),
  length: integer('Characters of the secret, 16 to 128. Default 64. Counts only when it is made.', 16, 128).default(64),
})
