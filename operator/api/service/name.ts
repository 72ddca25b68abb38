import { z } from 'zod'
import { dnsLabelFromLetter, imageReference, listAtomic, text } from '../schema.ts'

/** What names a service, and what it runs. */

export const serviceName = text(
  'Name of the service, unique in the stack; of its Deployment and Service too. Permanent.',
  {
    max: 30,
    min: 1,
    pattern: dnsLabelFromLetter,
  },
)

/** What a service of a stack is. */
export const serviceType = z.enum(['Web', 'Worker', 'PostgreSQL'])

/** Of those, the ones that run as pods of ours. */
export const podServiceType = z.enum(['Web', 'Worker'])

/** dependsOn of a service. */
export const dependsOn = (description: string) =>
  listAtomic(description, serviceName.meta({ description: 'Name of a service listed earlier.' }), 10)

export const image = (description: string) => text(description, { max: 512, min: 1, pattern: imageReference })
