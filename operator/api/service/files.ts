import { z } from 'zod'
import { says } from '../kind.ts'
import { listMap, next, text, withRules } from '../schema.ts'
import { mountPath } from './path.ts'
import { configMapKeyRef, fileSecretKeyRef } from './references.ts'

/** Files of a service. */

export const files = withRules(
  listMap(
    `Files put into each replica, at most 20 a service and 262144 characters a stack. ${next}`,
    withRules(
      z.strictObject({
        path: mountPath(
          `Absolute path of the file, unique in the service; letters, digits and . _ @ + - between slashes. ${next}`,
          'file',
        ),
        content: text(`Content of the file, at most 65536 characters. Not for secrets. ${next}`, {
          max: 65_536,
        }).optional(),
        secretKeyRef: fileSecretKeyRef.optional(),
        configMapKeyRef: configMapKeyRef.optional(),
      }),
      [
        {
          id: 'one-content',
          rule: '[has(self.content), has(self.secretKeyRef), has(self.configMapKeyRef)].exists_one(given, given)',
          message: 'a file must have exactly one of content, secretKeyRef and configMapKeyRef',
          messageExpression: says(
            "file '%s' must have exactly one of content, secretKeyRef and configMapKeyRef",
            'self.path',
          ),
          reason: 'FieldValueInvalid',
          holds: ({ content, secretKeyRef, configMapKeyRef: ofConfigMap }) =>
            [content, secretKeyRef, ofConfigMap].filter((each) => each !== undefined).length === 1,
        },
      ],
    ),
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
