import { z } from 'zod'

/** When what is declared is deployed. */

export const trigger = z.enum(['Automatic', 'Manual']).meta({
  description:
    'Automatic (default): a change that needs a deployment is deployed at once. Manual: it waits until the annotation appstead.dev/deploy asks; the first release is made at once all the same. Takes effect at once.',
})

export const replicaChanges = z.enum(['NextDeployment', 'Immediate']).meta({
  description:
    'When a change of nothing but the number of replicas takes effect. NextDeployment: with the next deployment, which is the default. Immediate: at once, without a release. Set back to NextDeployment, the number of the newest release counts again.',
})

export const onSecretChange = z.enum(['NextDeployment', 'Immediate']).meta({
  description:
    'When a changed Secret or ConfigMap takes effect. NextDeployment: with the next deployment, which is the default. Immediate: in a deployment of its own at once.',
})

/** deploy of an AppInstance, and of the defaults of an AppEnv. */
export const deploy = z
  .strictObject({
    trigger: trigger.optional(),
    replicaChanges: replicaChanges.optional(),
    onSecretChange: onSecretChange.optional(),
  })
  .meta({ description: 'When what is declared is deployed. Takes effect at once.' })
