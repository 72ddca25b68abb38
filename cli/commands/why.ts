import { causeOf, isAsItShouldBe } from '../causes.ts'
import { instanceOf, podsOf, withCluster } from '../cluster.ts'
import { exitCodes, type Run } from '../command.ts'

/** `why NAME`: 0 when the instance is as it should be, 3 when it is not, with the one cause. */
export const why: Run = (call) =>
  withCluster(call, async (cluster) => {
    const { io } = call
    const instance = await instanceOf(cluster, call.positionals[0] ?? '')
    const isGood = isAsItShouldBe(instance)
    const lines = causeOf(instance, isGood ? [] : await podsOf(cluster, instance))
    if (call.text('output') === 'json') io.out(`${JSON.stringify({ isAsItShouldBe: isGood, lines }, null, 2)}\n`)
    else for (const { label, text, colour } of lines) io.out(`${label}: ${colour ? io.paint(colour, text) : text}\n`)
    return isGood ? exitCodes.done : exitCodes.notSo
  })
