import { z } from 'zod'
import { says } from '../kind.ts'
import { compareQuantities, cpuQuantity, memoryQuantity } from '../quantity.ts'
import { next, text, withRules } from '../schema.ts'

/** CPU and memory of a service. */

const amounts = (how: string) =>
  z.strictObject({
    cpu: text(`CPU ${how}, in cores or millicores: a string such as "1", "0.5" or 250m. ${next}`, {
      max: 10,
      min: 1,
      pattern: cpuQuantity,
    }).optional(),
    memory: text(`Memory ${how}, in bytes with a unit, such as 128Mi or 1Gi. ${next}`, {
      max: 20,
      min: 1,
      pattern: memoryQuantity,
    }).optional(),
  })

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

/** resources of a service, a Pod's. */
export const resourcesSchema = z
  .strictObject({
    requests: amounts('set aside for each replica')
      .meta({ description: `What each replica is sure to have. ${next}` })
      .optional(),
    limits: amounts('that each replica may use at most')
      .meta({ description: `What each replica may use at most. ${next}` })
      .optional(),
  })
  .meta({
    description: `CPU and memory of each replica; every replica has its own. Default: requests of 50m and 128Mi for what has no limit; no limit. ${next}`,
  })

type Resources = z.output<typeof resourcesSchema>

export const resources = withRules(resourcesSchema, [requestsUpToLimits('cpu'), requestsUpToLimits('memory')])
