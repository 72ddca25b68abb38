import { z } from 'zod'
import { integer, withRules, type Immutable } from './schema.ts'
import { amounts } from './service/resources.ts'

/** What an instance may have at most. */

const atOnce = 'Takes effect at once.'

const schema = z
  .strictObject({
    requests: amounts('that all replicas together may ask for', atOnce)
      .meta({
        description: `What all replicas together may ask for; a limit counts where there is no request. ${atOnce}`,
      })
      .optional(),
    limits: amounts('that all replicas together may use', atOnce)
      .meta({
        description: `What all replicas together may use: with it each service must have a limit, too. ${atOnce}`,
      })
      .optional(),
    pods: integer(`How many replicas there may be of all services together, 1 to 500. ${atOnce}`, 1, 500).optional(),
  })
  .meta({
    description: `What the replicas of each instance may have together, as many as autoscaling may add. What is declared to have more is not deployed. The instance's namespace gets a ResourceQuota, with room for a roll-out (each replica a second time) and one Job of an action. ${atOnce}`,
  })

export type Quota = Immutable<z.output<typeof schema>>

/** quota of the defaults of an AppEnv. */
export const quota = withRules(schema, [
  {
    id: 'quota-limits-something',
    rule: 'has(self.pods) || has(self.requests) && (has(self.requests.cpu) || has(self.requests.memory)) || has(self.limits) && (has(self.limits.cpu) || has(self.limits.memory))',
    message: 'quota must limit something: set requests.cpu, requests.memory, limits.cpu, limits.memory or pods',
    reason: 'FieldValueRequired',
    holds: ({ pods, requests, limits }) =>
      [pods, requests?.cpu, requests?.memory, limits?.cpu, limits?.memory].some((most) => most !== undefined),
  },
])
