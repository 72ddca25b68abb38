import type { z } from 'zod'
import { unwrapped } from '../../cli/lint/objection.ts'
import { verdictOn } from '../../cli/lint/verdict.ts'
import { childrenOf } from '../../crds/structural.ts'
import type { Kind, Rule } from '../../operator/api/kind.ts'

/** What zod and the rules' TypeScript twins say about an object: the server must say the same. */

/** Why the object is refused, in one line per reason; empty when it is good. It is `lint` that is asked. */
export function objectionsTo(kind: Kind, object: object): readonly string[] {
  return verdictOn(kind, object).map(({ path, message, rule }) => rule ?? `${path.join('.')}: ${message}`)
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
