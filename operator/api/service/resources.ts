import { z } from 'zod'
import { says } from '../kind.ts'
import { compareQuantities, cpuQuantity, memoryQuantity } from '../quantity.ts'
import { next, text, withRules, type Immutable } from '../schema.ts'

/** CPU and memory of a service. */

/** Amounts of both; in: what for, and when a change of them takes effect. */
export function amounts(how: string, when: string) {
  return z.strictObject({
    cpu: text(`CPU ${how}, in cores or millicores: a string such as "1", "0.5" or 250m. ${when}`, {
      max: 10,
      min: 1,
      pattern: cpuQuantity,
    }).optional(),
    memory: text(`Memory ${how}, in bytes with a unit, such as 128Mi or 1Gi. ${when}`, {
      max: 20,
      min: 1,
      pattern: memoryQuantity,
    }).optional(),
  })
}

const requestsUpToLimits = (field: 'cpu' | 'memory') =>
  ({
    id: `${field}-request-up-to-limit`,
    rule: `!has(self.requests) || !has(self.requests.${field}) || !has(self.limits) || !has(self.limits.${field}) || quantity(self.requests.${field}).compareTo(quantity(self.limits.${field})) <= 0`,
    message: `requests.${field} may not be larger than limits.${field}`,
    messageExpression: says(
      `requests.${field} '%s' may not be larger than limits.${field} '%s'`,
      `self.requests.${field}`,
      `self.limits.${field}`,
    ),
    fieldPath: `.requests.${field}`,
    reason: 'FieldValueInvalid',
    holds: ({ requests, limits }: Resources) => {
      const request = requests?.[field]
      const limit = limits?.[field]
      return request === undefined || limit === undefined || compareQuantities(request, limit) <= 0
    },
  }) as const

const schema = z.strictObject({
  requests: amounts('set aside for each replica', next)
    .meta({ description: `What each replica is sure to have. ${next}` })
    .optional(),
  limits: amounts('that each replica may use at most', next)
    .meta({ description: `What each replica may use at most. ${next}` })
    .optional(),
})

/** resources of a service, a Pod's. */
export const resourcesSchema = schema.meta({
  description: `CPU and memory of each replica; every replica has its own. Default: those of the AppEnv, else requests of 50m and 128Mi for what has no limit; no limit. ${next}`,
})

type Resources = Immutable<z.output<typeof resourcesSchema>>

/** What a replica asks for: its request, or where there is none its limit, as the API server fills it in; undefined without both. */
export function requestOf({ requests, limits }: Resources, amount: 'cpu' | 'memory'): string | undefined {
  return requests?.[amount] ?? limits?.[amount]
}

const rules = [requestsUpToLimits('cpu'), requestsUpToLimits('memory')]

/** The same with its rules. */
export const resources = withRules(resourcesSchema, rules)

/** The like with another description. */
export function resourcesOf(description: string) {
  return withRules(schema.meta({ description }), rules)
}
