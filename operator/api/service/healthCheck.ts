import { z } from 'zod'
import { integer, next, text } from '../schema.ts'
import { portNameOf } from './ports.ts'

/** How a service says that it can serve. */

const httpPath = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$/

export const healthPath = text(`Path that answers 200 to 399 when the replica can serve, such as /healthz. ${next}`, {
  max: 256,
  min: 1,
  pattern: httpPath,
})

export const timeoutSeconds = integer(`Seconds within which the check must answer, 1 to 5. Default 5. ${next}`, 1, 5)

export const startupSeconds = integer(
  `Seconds a new replica may take until the check answers, 1 to 3600. Default 120. ${next}`,
  1,
  3600,
)

export const healthCheck = z
  .strictObject({
    path: healthPath,
    port: portNameOf(
      `Name of the port that is asked. Default: the first HTTP port, else the first one. ${next}`,
    ).optional(),
    timeoutSeconds: timeoutSeconds.default(5),
    startupSeconds: startupSeconds.default(120),
  })
  .meta({
    description: `How each replica says that it can serve: an HTTP GET. Without it no update is free of lost requests. ${next}`,
  })
