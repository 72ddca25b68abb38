import { kinds } from './api/kinds.ts'
import { controllers, writes } from './controllers/controllers.ts'
import { informers } from './controllers/informers.ts'
import { grantsOf } from './rights.ts'

/** What the operator needs to be there: its kinds, and rights on all of the cluster. */
export const declared = { kinds, grants: grantsOf({ informers, controllers, writes }) }
