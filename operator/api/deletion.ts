import { z } from 'zod'

/** Whether an instance may be deleted, and what becomes of its namespace then. */

/** deletionPolicy of an AppInstance, or of the defaults of an AppEnv; in: its default, in a sentence. */
export function deletionPolicy(defaults: string) {
  return z.enum(['Retain', 'Delete']).meta({
    description: `What a deletion leaves. Retain: the namespace with its volumes' claims and generated Secrets, for the next instance of the name. Delete: nothing. ${defaults} May always be changed, also while it is being deleted; takes effect at once.`,
  })
}

export type DeletionPolicy = z.output<ReturnType<typeof deletionPolicy>>

/** deletionProtection, likewise. */
export function deletionProtection(defaults: string) {
  return z.boolean().meta({
    description: `Whether the API server refuses to delete the instance, also with its project. ${defaults} Takes effect at once.`,
  })
}
