import { z } from 'zod'
import { says } from '../kind.ts'
import { integer, listAtomic, next, text, withoutNul, withRules } from '../schema.ts'
import { portNameOf } from './ports.ts'

/** How a service says that it can serve. */

const httpPath = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$/

export const healthPath = text(`Path that answers 200 to 399 when the replica can serve, such as /healthz. ${next}`, {
  max: 256,
  min: 1,
  pattern: httpPath,
})

export const healthCommand = (description: string) =>
  listAtomic(description, text('The program, or one argument; as it is.', { max: 1024, pattern: withoutNul }), 32, 1)

export const timeoutSeconds = integer(`Seconds within which the check must answer, 1 to 5. Default 5. ${next}`, 1, 5)

export const startupSeconds = integer(
  `Seconds a new replica may take until the check answers, 1 to 3600. Default 120. Each try counts as one second, also one that waits for timeoutSeconds in vain. ${next}`,
  1,
  3600,
)

const ways = '[has(self.path), has(self.command), has(self.tcp) && self.tcp]'

export const healthCheck = withRules(
  z
    .strictObject({
      path: healthPath.optional(),
      command: healthCommand(
        `Program and arguments, run in the replica, that end with 0 when it can serve; no shell. ${next}`,
      ).optional(),
      tcp: z
        .boolean()
        .optional()
        .meta({ description: `Whether a connection that is accepted is enough. Default false. ${next}` }),
      port: portNameOf(
        `Name of the port that is asked, of protocol HTTP or TCP. Default: the first HTTP port, else the first TCP one. ${next}`,
      ).optional(),
      timeoutSeconds: timeoutSeconds.default(5),
      startupSeconds: startupSeconds.default(120),
    })
    .meta({
      description: `How each replica says that it can serve: exactly one of path (an HTTP GET), command and tcp: true. Without it no update is free of lost requests. ${next}`,
    }),
  [
    {
      id: 'one-way-to-check',
      rule: `${ways}.filter(each, each).size() == 1`,
      message: 'a healthCheck must have exactly one of path, command and tcp: true',
      messageExpression: says(
        'a healthCheck must have exactly one of path, command and tcp: true; this one has %d of them',
        `${ways}.filter(each, each).size()`,
      ),
      reason: 'FieldValueInvalid',
      holds: ({ path, command, tcp }) =>
        [path !== undefined, command !== undefined, tcp === true].filter(Boolean).length === 1,
    },
    {
      id: 'command-asks-no-port',
      rule: '!has(self.command) || !has(self.port)',
      message: 'port may not stand beside command, which asks no port; remove one of them',
      messageExpression: says("port '%s' may not stand beside command, which asks no port; remove one", 'self.port'),
      fieldPath: '.port',
      reason: 'FieldValueForbidden',
      holds: ({ command, port }) => command === undefined || port === undefined,
    },
  ],
)
