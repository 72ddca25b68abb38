import { z } from 'zod'
import { says } from '../kind.ts'
import { integer, listMap, next, withRules } from '../schema.ts'
import { autoscaling, replicasOrAutoscaling } from './autoscaling.ts'
import { external } from './links.ts'
import { image, serviceName } from './name.ts'
import { args, command } from './process.ts'
import { resources } from './resources.ts'
import { variables } from './variables.ts'
import { volumeOverrides } from './volumes.ts'

/** What an instance says otherwise than its stack about one service. */

/** What is said of pods. */
const ofPods = ['image', 'replicas', 'autoscaling', 'command', 'args', 'variables', 'resources', 'volumes'] as const

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
      volumes: volumeOverrides.optional(),
      external: external.optional(),
    }),
    [
      replicasOrAutoscaling,
      {
        id: 'external-stands-alone',
        rule: `!has(self.external) || !(${ofPods.map((field) => `has(self.${field})`).join(' || ')})`,
        message: `a service that is given from outside has no pods: beside external there may be only name and enabled`,
        messageExpression: says(
          "service '%s' is given from outside (external.secretName '%s') and has no pods: remove %s, or external",
          'self.name',
          'self.external.secretName',
          `[${ofPods.map((field) => `has(self.${field}) ? '${field}' : ''`).join(', ')}].filter(field, field != '')`,
        ),
        fieldPath: '.external',
        reason: 'FieldValueForbidden',
        holds: (override) => override.external === undefined || ofPods.every((field) => override[field] === undefined),
      },
    ],
  ),
  { key: 'name', max: 50 },
)

/** services[] of a default of an App: what is not said is that of the stack, and an instance's own override wins. */
export const serviceDefaults = listMap(
  `What is otherwise than in the stack, by service, at most 50; what is left out is as in the stack. ${next}`,
  withRules(
    z.strictObject({
      name: serviceName.meta({ description: 'Name of a service of the stack.' }),
      replicas: integer(
        'How many copies run, 1 to 10. Not for the main service: spec.replicas of an instance.',
        1,
        10,
      ).optional(),
      autoscaling: autoscaling.optional(),
      resources: resources.optional(),
      volumes: volumeOverrides.optional(),
    }),
    [replicasOrAutoscaling],
  ),
  { key: 'name', max: 50 },
)
