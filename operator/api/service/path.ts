import { says } from '../kind.ts'
import { text, withRules } from '../schema.ts'

/** Where something is put into the file system of a replica. */

const absolutePath = /^(\/[.]?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$/
/** What the platform or the kernel has there. */
const taken = /^\/(tmp$|(dev|proc|sys)(\/|$))/

/** The absolute path of a `what`, such as file. */
export const mountPath = (description: string, what: 'file' | 'volume') =>
  withRules(text(description, { max: 255, min: 2, pattern: absolutePath }), [
    {
      id: `${what}-path-taken`,
      rule: "!self.matches('^/(tmp$|(dev|proc|sys)(/|$))')",
      message: `the path of a ${what} may not be /tmp, nor /dev, /proc, /sys or below`,
      messageExpression: says(
        `'%s' is taken: a ${what} may not be /tmp, nor /dev, /proc, /sys or below; use another path`,
        'self',
      ),
      reason: 'FieldValueInvalid',
      holds: (path) => !taken.test(path),
    },
  ])
