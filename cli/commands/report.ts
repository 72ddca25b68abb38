import { appKind } from '../../operator/api/app.ts'
import { appEnvKind } from '../../operator/api/appEnv.ts'
import { secretType } from '../../operator/api/builtin.ts'
import { keyOf, type KubeObject, type Ref, type ResourceType } from '../../operator/api/meta.ts'
import { isKubeError } from '../../operator/kube/errors.ts'
import { eventType } from '../../operator/runtime/events.ts'
import { instanceOf, withCluster, type Cluster } from '../cluster.ts'
import { exitCodes, type Run } from '../command.ts'
import { listen } from '../logs.ts'
import { operatorNamespace, operatorPods, type OperatorPod } from '../operator.ts'
import { yamlOf } from '../print.ts'
import { redact } from '../redact.ts'
import { belongingsOf } from './tree.ts'

/** Of the end of the operator's log, a pod. */
const logLines = 500

/** `report NAME`: all that is known of an instance, to be given to others. What cannot be read is left out, and said. */
export const report: Run = (call) =>
  withCluster(call, async (cluster) => {
    const instance = await instanceOf(cluster, call.positionals[0] ?? '')
    const { name, namespace = '' } = instance.metadata
    const missing: string[] = []
    const orNone = async <T>(what: Promise<readonly T[]>): Promise<readonly T[]> => {
      try {
        return await what
      } catch (error) {
        if (!isKubeError(error)) throw error
        missing.push(error.message)
        return []
      }
    }
    const { releases, tasks, pods } = await belongingsOf(cluster, instance)
    const parts = await Promise.all([
      orNone(one(cluster, appKind, { namespace, name: instance.spec.app })),
      orNone(one(cluster, appEnvKind, { namespace: '', name: instance.spec.env })),
      orNone(eventsOf(cluster, namespace, name)),
      orNone(eventsOf(cluster, name)),
      orNone(operatorPods(cluster, operatorNamespace(call))),
    ])
    const key = keyOf({ namespace, name })
    const secrets = await Promise.all([namespace, name].map((each) => orNone(secretsIn(cluster, each))))
    const [apps, envs, told, toldThere, operators] = parts
    const logs = await Promise.all(operators.map((pod) => orNone(logOf(cluster, pod, key))))
    const objects = [instance, ...apps, ...envs, ...releases, ...tasks, ...pods, ...told, ...toldThere]
    const names = [name, namespace, instance.spec.app, instance.spec.env]
    const all = redact([...objects, { kind: 'OperatorLog', lines: logs.flat() }, { kind: 'NotRead', missing }], {
      secrets: secrets.flat(),
      names,
    })
    call.io.out(all.map((each) => yamlOf(each)).join('---\n'))
    return exitCodes.done
  })

async function one({ client }: Cluster, type: ResourceType, ref: Ref): Promise<readonly KubeObject[]> {
  return [await client.get(type, ref)]
}

/** The Events of a namespace, or of one instance in it. */
async function eventsOf({ client }: Cluster, namespace: string, name?: string): Promise<readonly KubeObject[]> {
  const { items } = await client.list(eventType, { namespace })
  const events = items as readonly (KubeObject & { readonly involvedObject?: { readonly name?: string } })[]
  return events.filter(({ involvedObject }) => name === undefined || involvedObject?.name === name)
}

const isWarning = /"level":"(warn|error|fatal)"/

/** Lines of the log of an operator's pod that are of the instance, or are worse than usual and of nothing else. */
async function logOf(cluster: Cluster, operator: OperatorPod, key: string): Promise<readonly string[]> {
  const lines: string[] = []
  const isOfUse = (text: string): boolean =>
    text.includes(`"key":"${key}"`) || (isWarning.test(text) && !text.includes('"key":'))
  const { signal } = new AbortController()
  const query = { container: 'operator', tailLines: logLines }
  const line = (pod: string, text: string): void => {
    if (isOfUse(text)) lines.push(`${pod} ${text}`)
  }
  await listen(cluster, operator, { signal, query, line })
  return lines
}

/** The values of Secrets, in the clear and as they are stored: to look for them, and for nothing else. */
async function secretsIn({ client }: Cluster, namespace: string): Promise<readonly string[]> {
  const { items } = await client.list(secretType, { namespace })
  const values = (items as readonly (KubeObject & { readonly data?: Readonly<Record<string, string>> })[]).flatMap(
    ({ data = {} }) => Object.values(data),
  )
  return values.flatMap((value) => [value, Buffer.from(value, 'base64').toString()])
}
