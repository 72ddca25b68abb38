import { z } from 'zod'
import { says } from '../kind.ts'
import { listMap, next, text, withRules } from '../schema.ts'

/** Files of a service. */

const filePath = /^(\/[.]?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$/

export const files = withRules(
  listMap(
    `Files put into each replica, at most 20 a service and 262144 characters a stack. ${next}`,
    z.strictObject({
      path: withRules(
        text(
          `Absolute path of the file, unique in the service; letters, digits and . _ @ + - between slashes. ${next}`,
          { max: 255, min: 2, pattern: filePath },
        ),
        [
          {
            id: 'file-path-taken',
            rule: "!self.matches('^/(tmp$|(dev|proc|sys)(/|$))')",
            message: 'the path of a file may not be /tmp, nor /dev, /proc, /sys or below',
            messageExpression: says(
              "'%s' is taken: a file may not be /tmp, nor /dev, /proc, /sys or below; use another path",
              'self',
            ),
            reason: 'FieldValueInvalid',
            holds: (path) => !/^\/(tmp$|(dev|proc|sys)(\/|$))/.test(path),
          },
        ],
      ),
      content: text(`Content of the file, at most 65536 characters. Not for secrets. ${next}`, { max: 65_536 }),
    }),
    { key: 'path', max: 20 },
  ),
  [
    {
      id: 'file-below-file',
      rule: "self.all(f, !self.exists(g, g.path.startsWith(f.path + '/')))",
      message: 'the path of a file may not be a folder of another one',
      messageExpression: says(
        "'%s' may not be a file and a folder of another file",
        `self.filter(f, self.exists(g, g.path.startsWith(f.path + '/')))[0].path`,
      ),
      reason: 'FieldValueInvalid',
      holds: (list) => list.every((f) => !list.some((g) => g.path.startsWith(`${f.path}/`))),
    },
  ],
)
