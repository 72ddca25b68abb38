import type { z } from 'zod'
import type { Metadata, ResourceType } from './meta.ts'

/** A CEL rule: what one object can tell and a schema cannot say. At the root of a kind, or at a field (schema.ts withRules). */
export interface Rule<Self = unknown> {
  /** Unique in its kind, in kebab-case; tests and REFERENCE.md name the rule by it. */
  readonly id: string
  readonly rule: string
  /** Static text, shown when messageExpression fails. */
  readonly message: string
  /** CEL that names the value that was given. */
  readonly messageExpression?: string
  readonly fieldPath?: string
  /** Not FieldValueDuplicate: of that the server leaves the message out. */
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired'
  /**
   * For a rule about the order of a list, which must then name oldSelf (an optional): the API server takes a map list that
   * was only put into another order for unchanged, and asks no other rule about it.
   */
  readonly optionalOldSelf?: true
  /** The same rule in TypeScript; absent for rules about oldSelf, which always hold on creation. */
  holds?(self: Self): boolean
}

/**
 * A messageExpression that fills `template` (%s, %d) with CEL expressions. The server takes its estimate of "+" with
 * string(number) for endless; that of format() is small.
 */
export function says(template: string, ...expressions: readonly string[]): string {
  return `"${template}".format([${expressions.join(', ')}])`
}

/** What a rule at the root of a kind sees. */
export interface RootSelf<Spec = unknown> {
  readonly metadata: Pick<Metadata, 'name'>
  readonly spec: Spec
}

/** A printer column of `kubectl get`; `wide` ones are shown with -o wide. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'boolean' | 'date'
  readonly jsonPath: string
  readonly description: string
  readonly wide?: boolean
}

/** One of our kinds: the only source of its CRD, TypeScript types, reference page and printer columns. */
export interface Kind extends ResourceType {
  readonly singular: string
  /** One paragraph: what `kubectl explain <kind>` begins with. */
  readonly description: string
  readonly spec: z.ZodObject
  /** null: the kind has no status. */
  readonly status: z.ZodObject | null
  /** Nothing is to be said of it while all is well: without a status it counts as current. */
  readonly isStatusRare?: true
  /** Made and changed by the operator alone. */
  readonly isRecord?: true
  /** May look at self.metadata.name, self.spec, oldSelf. */
  readonly rules: readonly Rule<RootSelf<never>>[]
  readonly columns: readonly Column[]
  /** JSON paths for --field-selector, such as `.spec.app`. */
  readonly selectableFields: readonly string[]
  readonly scale?: {
    readonly specReplicasPath: string
    readonly statusReplicasPath: string
    readonly labelSelectorPath: string
  }
}

/** The AGE column, the last one of every kind. */
export const ageColumn: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was created.',
}

/** A column with the status, reason or message of a condition. */
export function conditionColumn(
  name: string,
  condition: string,
  field: 'status' | 'reason' | 'message',
  wide = false,
): Column {
  return {
    name,
    type: 'string',
    jsonPath: `.status.conditions[?(@.type=="${condition}")].${field}`,
    description: `The ${field} of the condition ${condition}.`,
    ...(wide ? { wide } : {}),
  }
}
