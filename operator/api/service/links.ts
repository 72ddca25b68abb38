import { z } from 'zod'
import { says } from '../kind.ts'
import { listMap, next, text, withRules } from '../schema.ts'
import { serviceName } from './name.ts'
import { secretName } from './references.ts'
import { variableName } from './variables.ts'

/** What a service is told of others, and where one is that is given from outside. */

const prefix = withRules(
  text(
    `Beginning of the variables' names, followed by _URL, _HOST and so on: letters, digits and _; not APPSTEAD. ${next}`,
    { max: 60, min: 1, pattern: variableName },
  ),
  [
    {
      id: 'reserved-link',
      rule: "!(self + '_').startsWith('APPSTEAD_')",
      message: "a link's variables may not begin with APPSTEAD_: those are set by the platform",
      messageExpression: says(
        "as '%s' may not be APPSTEAD, nor begin with APPSTEAD_: variables of such names are set by the platform; use another word",
        'self',
      ),
      reason: 'FieldValueForbidden',
      holds: (as) => !`${as}_`.startsWith('APPSTEAD_'),
    },
  ],
)

/** links[] of a service of a stack. */
export const links = listMap(
  `Services listed earlier, at most 10, whose address it gets as variables: <as>_URL, <as>_HOST, <as>_PORT. Of a database <as>_USER, <as>_PASSWORD and <as>_NAME, too; of other services a URL only where they speak HTTP. Implies dependsOn. ${next}`,
  z.strictObject({
    as: prefix,
    service: serviceName.meta({ description: `Name of the service, one that answers on a port. ${next}` }),
  }),
  { key: 'as', max: 10 },
)

/** external of an override. */
export const external = z.strictObject({ secretName }).meta({
  description: `Where the service is that runs elsewhere; nothing else may be said of it. For types that have no pods of their own. ${next}`,
})
