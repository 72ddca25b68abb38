import { z } from 'zod'
import { says } from '../kind.ts'
import { dnsSubdomain, listAtomic, listMap, next, text, withRules } from '../schema.ts'

/** References to Secrets and ConfigMaps of the project that allow the app (label appstead.dev/allow). */

const objectName = (what: string) =>
  text(`Name of a ${what} in the project that allows the app. ${next}`, { max: 253, min: 1, pattern: dnsSubdomain })

/** secretName of a service that is given from outside. */
export const secretName = text(
  `Secret in the project that allows the app; its keys: host, port, username (or user), password, database (or dbname), uri. ${next}`,
  { max: 253, min: 1, pattern: dnsSubdomain },
)

/** A key of a Secret or a ConfigMap. */
export const dataKey = (description: string) => text(description, { max: 253, min: 1, pattern: /^[A-Za-z0-9._-]+$/ })

export const secretKeyRef = z
  .strictObject({
    name: objectName('Secret'),
    key: dataKey(`Key in the Secret. ${next}`),
    optional: z
      .boolean()
      .optional()
      .meta({ description: `Whether all goes on without it while Secret or key are missing. Default false. ${next}` }),
  })
  .meta({ description: `One key of a Secret of the project that allows the app; copied with each release. ${next}` })

/** A key of a file's Secret: a file is there or not, nobody asks for perhaps. */
export const fileSecretKeyRef = z
  .strictObject({ name: objectName('Secret'), key: dataKey(`Key in the Secret. ${next}`) })
  .meta({ description: `One key of a Secret of the project that allows the app; copied with each release. ${next}` })

export const configMapKeyRef = z
  .strictObject({ name: objectName('ConfigMap'), key: dataKey(`Key in the ConfigMap. ${next}`) })
  .meta({ description: `One key of a ConfigMap of the project that allows the app; copied with each release. ${next}` })

const wholeRef = (what: string) =>
  z.strictObject({ name: objectName(what) }).meta({ description: `All keys of a ${what} that are names. ${next}` })

/** variablesFrom[] of an App, a stack's service and an AppInstance. */
export const variablesFrom = (description: string) =>
  listAtomic(
    description,
    withRules(
      z.strictObject({
        secretRef: wholeRef('Secret').optional(),
        configMapRef: wholeRef('ConfigMap').optional(),
        prefix: text(`Stands before each key. Default: nothing. ${next}`, {
          max: 64,
          pattern: /^([A-Za-z_][A-Za-z0-9_]*)?$/,
        }).optional(),
      }),
      [
        {
          id: 'one-reference',
          rule: 'has(self.secretRef) != has(self.configMapRef)',
          message: 'exactly one of secretRef and configMapRef must be set',
          messageExpression: says(
            "secretRef '%s' and configMapRef '%s': exactly one must be set",
            "has(self.secretRef) ? self.secretRef.name : ''",
            "has(self.configMapRef) ? self.configMapRef.name : ''",
          ),
          reason: 'FieldValueInvalid',
          holds: ({ secretRef, configMapRef }) => (secretRef === undefined) !== (configMapRef === undefined),
        },
      ],
    ),
    10,
  )

export const imagePullSecrets = listMap(
  `Secrets of type kubernetes.io/dockerconfigjson with which images are pulled, at most 10. ${next}`,
  z.strictObject({ name: objectName('Secret') }),
  { key: 'name', max: 10 },
)

/** Where a value was taken from, as the release records it: by a hash of its own key, never as it is. */
export const source = text('The object it was taken from, such as Secret/db.', {
  max: 264,
  min: 1,
  pattern: /^(Secret|ConfigMap)\/[a-z0-9.-]+$/,
})

export const valueHash = text('Keyed hash of the value; tells whether two are the same, and nothing else.', {
  max: 16,
  min: 16,
  pattern: /^[0-9a-f]{16}$/,
})

export const copied = z
  .strictObject({ source, key: dataKey('Its key there.'), hash: valueHash })
  .meta({ description: 'A value of the project that was copied for the release.' })

/** sources[] of a release. */
export const sources = listMap(
  'The Secrets and ConfigMaps that values were copied from, as they were. Permanent.',
  z.strictObject({
    source,
    uid: text('metadata.uid; absent when it was not there, and need not be.', { max: 36, min: 1 }).optional(),
    resourceVersion: text('metadata.resourceVersion; absent like uid.', { max: 64, min: 1 }).optional(),
    whole: z.boolean().optional().meta({ description: 'Whether values lists all its keys. Absent: those in use.' }),
    values: listMap(
      'What was read of its values.',
      z.strictObject({
        key: dataKey('The key.'),
        hash: valueHash,
        fileOnly: z.boolean().optional().meta({ description: 'Whether it is too long for a variable, or no text.' }),
      }),
      { key: 'key', max: 1000 },
    ),
  }),
  { key: 'source', max: 200 },
)
