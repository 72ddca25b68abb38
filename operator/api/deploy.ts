import { z } from 'zod'

/** When what is declared is deployed. */

const trigger = z.enum(['Automatic', 'Manual']).optional().meta({
  description:
    'Automatic (default): a change that needs a deployment is deployed at once. Manual: it waits until the annotation appstead.dev/deploy asks; the first release is made at once all the same. Takes effect at once.',
})

const replicaChanges = z.enum(['NextDeployment', 'Immediate']).optional().meta({
  description:
    'When a change of nothing but the number of replicas takes effect. NextDeployment: with the next deployment, which is the default. Immediate: at once, without a release. Set back to NextDeployment, the number of the newest release counts again.',
})

const onSecretChange = z.enum(['NextDeployment', 'Immediate']).optional().meta({
  description:
    'When a changed Secret or ConfigMap takes effect. NextDeployment: with the next deployment, which is the default. Immediate: in a deployment of its own at once.',
})

/** deploy of an AppInstance, and of the defaults of an AppEnv. */
export const deploy = z
  .strictObject({ trigger, replicaChanges, onSecretChange })
  .meta({ description: 'When what is declared is deployed. Takes effect at once.' })
