import { z } from 'zod'
import { says } from '../kind.ts'
import { integer, next, withRules } from '../schema.ts'

/** How a service scales by itself. */

/** autoscaling of a resolved service: without rules, which were kept when it was declared. */
export const autoscalingSchema = z
  .strictObject({
    min: integer(`Replicas that always run, 1 to 10. ${next}`, 1, 10),
    max: integer(`Replicas that run at most, 1 to 10. At least min. ${next}`, 1, 10),
    cpu: integer(`CPU that replicas use on average, in percent of what they request, 1 to 100. ${next}`, 1, 100),
  })
  .meta({
    description: `Scales by itself between min and max, by CPU; in place of replicas. Needs metrics-server in the cluster. ${next}`,
  })

/** Of a service in a stack and of its override. */
export const replicasOrAutoscaling = {
  id: 'replicas-or-autoscaling',
  rule: '!has(self.replicas) || !has(self.autoscaling)',
  message: 'replicas and autoscaling may not stand together: what scales itself has no fixed number',
  messageExpression: says(
    "service '%s' may have replicas or autoscaling, not both: write autoscaling.min for the least number, or remove autoscaling",
    'self.name',
  ),
  fieldPath: '.replicas',
  reason: 'FieldValueForbidden',
  holds: ({ replicas, autoscaling: between }: { readonly replicas?: unknown; readonly autoscaling?: unknown }) =>
    replicas === undefined || between === undefined,
} as const

/** autoscaling of a service in a stack or an AppInstance. */
export const autoscaling = withRules(autoscalingSchema, [
  {
    id: 'autoscaling-min-up-to-max',
    rule: 'self.min <= self.max',
    message: 'autoscaling.min may not be larger than autoscaling.max',
    messageExpression: says('autoscaling.min %d may not be larger than autoscaling.max %d', 'self.min', 'self.max'),
    fieldPath: '.min',
    reason: 'FieldValueInvalid',
    holds: ({ min, max }) => min <= max,
  },
])
