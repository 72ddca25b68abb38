import { z } from 'zod'
import type { Kind, RootSelf } from '../../operator/api/kind.ts'
import { dnsSubdomain } from '../../operator/api/schema.ts'
import { unwrapped, type Objection } from './objection.ts'
import { refused, sentencesOf } from './sentences.ts'

/** What zod and the rules' TypeScript twins say about an object: the API server says the same of it. */

const shortText = z.string().max(253)

/** metadata as people may write it; what the API server puts in is let through. */
const metadata = z.strictObject({
  name: shortText.regex(dnsSubdomain).optional(),
  generateName: shortText.optional(),
  namespace: shortText.optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  finalizers: z.array(z.string()).optional(),
  ownerReferences: z.array(z.unknown()).optional(),
  managedFields: z.array(z.unknown()).optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.int().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  deletionGracePeriodSeconds: z.int().optional(),
  selfLink: z.string().optional(),
})

/**
 * Why the API server would refuse to create an object. In: a kind of ours, the object as it stands in a file. Out: the
 * reasons; none when it is good. A status is not looked at: the server drops it.
 */
export function verdictOn(kind: Kind, object: object): readonly Objection[] {
  const whole = z.strictObject({
    apiVersion: z.literal(`${kind.group}/${kind.version}`),
    kind: z.literal(kind.kind),
    metadata,
    spec: kind.spec,
    status: z.unknown().optional(),
  })
  const sent = withoutNulls(object, whole)
  const parsed = whole.safeParse(sent)
  if (!parsed.success) return parsed.error.issues.flatMap((issue) => sentencesOf(issue, sent, whole))
  const { name, generateName } = parsed.data.metadata
  if (name === undefined && generateName === undefined) return [{ path: ['metadata', 'name'], message: 'is missing' }]
  // What the server adds to generateName is no word of the user's.
  if (name === undefined) return []
  const self = parsed.data as unknown as RootSelf<never>
  return kind.rules
    .filter((rule) => rule.holds?.(self) === false)
    .map(({ id, message, fieldPath = '' }) => {
      const path = fieldPath.split('.').filter(Boolean)
      return { path, message: refused(sent, path, message), rule: id }
    })
}

/** The server takes a null at a field that it knows for an absent field. */
function withoutNulls(value: unknown, schema: z.ZodType): unknown {
  const inner = unwrapped(schema)
  if (Array.isArray(value) && inner instanceof z.ZodArray) {
    return value.map((item) => withoutNulls(item, inner.element as z.ZodType))
  }
  if (!(inner instanceof z.ZodObject) || typeof value !== 'object' || value === null || Array.isArray(value))
    return value
  const shape = inner.shape as Record<string, z.ZodType>
  const kept = Object.entries(value).filter(([key, item]) => item !== null || !Object.hasOwn(shape, key))
  const copy = kept.map(([key, item]) => [key, Object.hasOwn(shape, key) ? withoutNulls(item, shape[key]!) : item])
  return Object.fromEntries(copy)
}
