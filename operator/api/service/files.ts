import { z } from 'zod'
import { says } from '../kind.ts'
import { listMap, next, text, withRules } from '../schema.ts'
import { mountPath } from './path.ts'

/** Files of a service. */

export const files = withRules(
  listMap(
    `Files put into each replica, at most 20 a service and 262144 characters a stack. ${next}`,
    z.strictObject({
      path: mountPath(
        `Absolute path of the file, unique in the service; letters, digits and . _ @ + - between slashes. ${next}`,
        'file',
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
