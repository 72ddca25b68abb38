import { z } from 'zod'
import { dnsLabelFromLetter, integer, listAtomic, listMap, next, text, withoutNul } from '../schema.ts'

/** What a service does besides running: once with a release, or when a user asks for it. */

export const actionName = text(`Name of the action, such as migrate; unique in the service. ${next}`, {
  max: 20,
  min: 1,
  pattern: dnsLabelFromLetter,
})

const word = (description: string, max: number) => text(description, { max, pattern: withoutNul })

export const actionCommand = listAtomic(
  `Program and arguments in place of the image's entrypoint; no shell. ${next}`,
  word('The program, or one argument; as it is.', 1024),
  32,
  1,
)

export const actionArgs = listAtomic(
  `Arguments after the command; no shell. Default: none. ${next}`,
  word('One argument, as it is.', 4096),
  64,
)

/** When an action runs. */
export const actionRun = z.enum(['BeforeDeploy', 'AfterDeploy', 'AfterUpgrade', 'Manual'])

export const timeoutSeconds = integer(
  `Seconds the action may take until it is ended and has failed, 1 to 86400. Default 900. ${next}`,
  1,
  86_400,
)

export const maxActions = 10

/** actions of a stack's service. */
export const actions = listMap(
  `What runs once with each release, or by hand, at most 10: a Job from the service's image, with its variables and files. One after another, in this order; the first that fails ends the row. May be started again when its node goes away. ${next}`,
  z.strictObject({
    name: actionName,
    command: actionCommand,
    args: actionArgs.optional(),
    run: actionRun.meta({
      description: `BeforeDeploy, AfterDeploy, AfterUpgrade or Manual. The first: before any replica changes; when it fails, so has the release, and the old replicas go on. The second: once the release is rolled out. The third: then, too, if the revision of the stack is another than that of the last good release. The fourth: only when an AppTask of type Action asks for it. ${next}`,
    }),
    timeoutSeconds: timeoutSeconds.default(900),
  }),
  { key: 'name', max: maxActions },
)
