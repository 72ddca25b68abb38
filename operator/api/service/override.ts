import { z } from 'zod'
import { integer, listMap, next, withRules } from '../schema.ts'
import { autoscaling, replicasOrAutoscaling } from './autoscaling.ts'
import { image, serviceName } from './name.ts'
import { args, command } from './process.ts'
import { resources } from './resources.ts'
import { variables } from './variables.ts'

/** What an instance says otherwise than its stack about one service. */

/** services[] of an AppInstance: what is not said is that of the stack. */
export const serviceOverrides = listMap(
  `What is otherwise than in the stack, by service, at most 50; what is left out is as in the stack. ${next}`,
  withRules(
    z.strictObject({
      name: serviceName.meta({ description: `Name of a service of the stack. ${next}` }),
      enabled: z
        .boolean()
        .optional()
        .meta({
          description: `Whether the service is there. Default true. Without it others may not depend on it; its volumes and secrets stay. ${next}`,
        }),
      image: image(`Image its replicas run. Not for the main service: spec.image. ${next}`).optional(),
      replicas: integer(
        `How many copies run, 1 to 10. Not for the main service: spec.replicas. ${next}`,
        1,
        10,
      ).optional(),
      autoscaling: autoscaling.optional(),
      command: command(`Program and arguments in place of the stack's. ${next}`).optional(),
      args: args(`Arguments in place of the stack's. ${next}`).optional(),
      variables: variables(
        `Environment variables of this service alone, at most 100; win over all others of the same name. ${next}`,
      ).optional(),
      resources: resources.optional(),
    }),
    [replicasOrAutoscaling],
  ),
  { key: 'name', max: 50 },
)
