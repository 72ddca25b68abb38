import { z } from 'zod'

/** What is said of an object, and where. */

export type Path = readonly (string | number)[]

/** One reason why the API server would refuse an object. */
export interface Objection {
  /** Where it stands; of a field that is missing, where it should. */
  readonly path: Path
  /** One clause that follows the path: the value, and what would be right. */
  readonly message: string
  /** It is the field itself that is not known, whatever its value. */
  readonly isUnknown?: true
  /** The rule of the kind that is broken; of what a schema says itself, none. */
  readonly rule?: string
}

/** The schema without optional() and default(). */
export function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? unwrapped(schema.unwrap() as z.ZodType)
    : schema
}
