import { z } from 'zod'
import { childrenOf } from '../../crds/structural.ts'
import type { Kind, RootSelf, Rule } from '../../operator/api/kind.ts'
import { dnsSubdomain } from '../../operator/api/schema.ts'

/** What zod and the rules' TypeScript twins say about an object: the server must say the same. */

/** Why the object is refused, in one line per reason; empty when it is good. */
export function objectionsTo(kind: Kind, object: unknown): readonly string[] {
  const whole = z.strictObject({
    apiVersion: z.literal(`${kind.group}/${kind.version}`),
    kind: z.literal(kind.kind),
    metadata: z.strictObject({ name: z.string().max(253).regex(dnsSubdomain) }),
    spec: kind.spec,
  })
  const parsed = whole.safeParse(withoutNulls(object, whole))
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  const self = parsed.data as unknown as RootSelf<never>
  return kind.rules.filter((rule) => rule.holds?.(self) === false).map((rule) => rule.id)
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

/** The schema without optional() and default(). */
export function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? unwrapped(schema.unwrap() as z.ZodType)
    : schema
}

/** A rule and where it stands. */
export interface PlacedRule {
  /** Such as `spec.services[].ports`; '' at the root. */
  readonly path: string
  readonly rule: Pick<Rule, 'id' | 'rule' | 'message'>
}

/** Every CEL rule of a kind. */
export function rulesOf(kind: Kind): readonly PlacedRule[] {
  return [
    ...kind.rules.map((rule) => ({ path: '', rule })),
    ...rulesBelow(kind.spec, 'spec'),
    ...(kind.status === null ? [] : rulesBelow(kind.status, 'status')),
  ]
}

function rulesBelow(schema: z.ZodType, path: string): readonly PlacedRule[] {
  const inner = unwrapped(schema)
  const rules = (inner.meta()?.['rules'] ?? []) as readonly Rule[]
  return [
    ...rules.map((rule) => ({ path, rule })),
    ...childrenOf(inner, path).flatMap(([step, child]) => rulesBelow(child, `${path}${step}`)),
  ]
}
