import { z } from 'zod'
import { integer, listAtomic, next, text, withoutNul } from '../schema.ts'

/** How the process of a service is started, and what it may do. */

export const command = (description: string) =>
  listAtomic(description, text('The program, or one argument; as it is.', { max: 1024, pattern: withoutNul }), 32)

export const args = (description: string) =>
  listAtomic(description, text('One argument, as it is.', { max: 4096, pattern: withoutNul }), 64)

export const workingDir = (description: string) => text(description, { max: 1024, min: 1, pattern: /^\/[^\x00]*$/ })

export const security = z
  .strictObject({
    readOnlyRootFilesystem: z
      .boolean()
      .optional()
      .meta({
        description: `Whether the file system of the image is read-only; /tmp may always be written. Default true. ${next}`,
      }),
    runAsUser: integer(
      `Number of the user the process runs as, 1 to 2147483647: never root. Default: the image's. ${next}`,
      1,
      2_147_483_647,
    ).optional(),
  })
  .meta({
    description: `What the process of each replica may do. Never more than Pod Security restricted allows. ${next}`,
  })
