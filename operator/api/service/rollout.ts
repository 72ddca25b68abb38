import { z } from 'zod'
import { says } from '../kind.ts'
import { integer, next, withRules } from '../schema.ts'

/** How the replicas of a service are replaced. */

export const progressDeadlineSeconds = integer(
  `Seconds a roll-out may make no progress before it counts as failed, 10 to 3600. Default 300. ${next}`,
  10,
  3600,
)

export const drainSeconds = integer(
  `Seconds an old replica goes on serving while it is taken out of traffic, 0 to 300. Default 10. ${next}`,
  0,
  300,
)

export const terminationGracePeriodSeconds = integer(
  `Seconds from the beginning of the drain until a replica is killed, 1 to 3600. Default 30. More than drainSeconds. ${next}`,
  1,
  3600,
)

export const rollout = withRules(
  z
    .strictObject({
      progressDeadlineSeconds: progressDeadlineSeconds.default(300),
      drainSeconds: drainSeconds.default(10),
      terminationGracePeriodSeconds: terminationGracePeriodSeconds.default(30),
    })
    .meta({ description: `How replicas are replaced: new ones first, then the old are drained. ${next}` }),
  [
    {
      id: 'drain-within-grace-period',
      rule: 'self.terminationGracePeriodSeconds > self.drainSeconds',
      message: 'terminationGracePeriodSeconds must be more than drainSeconds',
      messageExpression: says(
        'terminationGracePeriodSeconds %d must be more than drainSeconds %d: the process must have time left to end',
        'self.terminationGracePeriodSeconds',
        'self.drainSeconds',
      ),
      fieldPath: '.terminationGracePeriodSeconds',
      reason: 'FieldValueInvalid',
      holds: (value) => value.terminationGracePeriodSeconds > value.drainSeconds,
    },
  ],
)
