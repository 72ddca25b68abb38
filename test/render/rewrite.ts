import { writeFileSync } from 'node:fs'
import { cases, planFile, planTextOf } from './cases.ts'

/** `npm run golden`: writes every plan.yaml anew; the diff is to be reviewed like a change of the API. */
for (const name of cases) writeFileSync(planFile(name), await planTextOf(name))
