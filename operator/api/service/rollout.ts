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

export const maxSurge = integer(
  `Replicas there may be above the declared number while they are replaced, 0 to 10. Default 1. ${next}`,
  0,
  10,
)

export const maxUnavailable = integer(
  `Replicas that may be missing while they are replaced, 0 to 9; less than there are, so that one stays ready. Default 0. ${next}`,
  0,
  9,
)

export const rollout = withRules(
  z
    .strictObject({
      maxSurge: maxSurge.default(1),
      maxUnavailable: maxUnavailable.default(0),
      progressDeadlineSeconds: progressDeadlineSeconds.default(300),
      drainSeconds: drainSeconds.default(10),
      terminationGracePeriodSeconds: terminationGracePeriodSeconds.default(30),
    })
    .meta({ description: `How replicas are replaced: new ones first, then the old are drained. ${next}` }),
  [
    {
      id: 'surge-or-unavailable',
      rule: 'self.maxSurge + self.maxUnavailable > 0',
      message:
        'maxSurge 0 and maxUnavailable 0 may not stand together: no replica could be replaced; raise one of them',
      fieldPath: '.maxSurge',
      reason: 'FieldValueInvalid',
      holds: (value) => value.maxSurge + value.maxUnavailable > 0,
    },
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
