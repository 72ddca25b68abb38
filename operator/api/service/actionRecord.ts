import { z } from 'zod'
import { dnsSubdomain, listMap, text, type Immutable } from '../schema.ts'
import { actionName } from './actions.ts'
import { serviceName } from './name.ts'

/** How an action went, as a status records it. */

const actionRecord = z.strictObject({
  service: serviceName.meta({ description: 'Name of the service.' }),
  name: actionName.meta({ description: 'Name of the action.' }),
  job: text("The Job, in the instance's namespace.", { max: 63, pattern: dnsSubdomain }),
  state: z.enum(['Running', 'Succeeded', 'Failed']).meta({ description: 'Running, Succeeded or Failed.' }),
  message: text('Why it failed, and where more is to be read; absent when it did not.', { max: 1024 }).optional(),
})

export type ActionRecord = Immutable<z.output<typeof actionRecord>>

/** actions of a status: at most 10 for each of 50 services. */
export const actionRecords = (description: string) => listMap(description, actionRecord, { key: 'job', max: 500 })
