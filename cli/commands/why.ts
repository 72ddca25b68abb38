import type { AppInstance } from '../../operator/api/appInstance.ts'
import { appInstanceKind } from '../../operator/api/appInstance.ts'
import { causeOf, isAsItShouldBe, type Line } from '../causes.ts'
import { instancesOf, podsOf, withCluster, type Cluster } from '../cluster.ts'
import { exitCodes, type Call, type Run } from '../command.ts'
import { printed, yamlOf } from '../print.ts'

/** `why [NAME]`: 0 when the instance is as it should be, or all are; 3 when not, with the one cause of each. */
export const why: Run = (call) =>
  withCluster(call, async (cluster) => {
    const [name] = call.positionals
    const all = await Promise.all((await instancesOf(cluster, name)).map((each) => answerOf(cluster, each)))
    const bad = all.filter(({ isAsItShouldBe: isGood }) => !isGood)
    // Of one that is asked for it is said, too, that it is well.
    call.io.out(textOf(call, name === undefined ? bad : all, all.length))
    return bad.length === 0 ? exitCodes.done : exitCodes.notSo
  })

interface Answer {
  readonly instance: AppInstance
  readonly isAsItShouldBe: boolean
  readonly lines: readonly Line[]
}

async function answerOf(cluster: Cluster, instance: AppInstance): Promise<Answer> {
  const isGood = isAsItShouldBe(instance)
  const lines = causeOf(instance, isGood ? [] : await podsOf(cluster, instance))
  return { instance, isAsItShouldBe: isGood, lines }
}

function textOf(call: Call, answers: readonly Answer[], looked: number): string {
  const { io, positionals } = call
  const format = call.text('output')
  if (format === 'name')
    return printed(
      answers.map(({ instance }) => ({ type: appInstanceKind, object: instance })),
      format,
    )
  if (format !== undefined) {
    const items = answers.map(({ instance: { metadata }, ...rest }) => ({
      name: metadata.name,
      namespace: metadata.namespace,
      ...rest,
    }))
    const whole = positionals.length === 1 ? items[0] : { items }
    return format === 'json' ? `${JSON.stringify(whole, null, 2)}\n` : yamlOf(whole)
  }
  if (answers.length === 0)
    return looked === 0 ? 'There are no AppInstances\n' : `All is as it should be, of ${looked} AppInstances\n`
  return answers
    .map(({ lines }) => lines.map(({ label, text, colour }) => `${label}: ${colour ? io.paint(colour, text) : text}\n`))
    .map((lines) => lines.join(''))
    .join('\n')
}
