import { withCluster } from '../cluster.ts'
import { exitCodes, type Colour, type Run } from '../command.ts'
import { diagnose, type Finding } from '../doctor.ts'
import { operatorNamespace } from '../operator.ts'
import { yamlOf } from '../print.ts'

const colours: Readonly<Record<Finding['level'], Colour>> = { ok: 'green', warning: 'yellow', error: 'red' }

/** `doctor`: 0 when a cluster has what it needs, warnings or not; 3 when something keeps Appstead from working. */
export const doctor: Run = (call) =>
  withCluster(call, async ({ client }) => {
    const { io } = call
    const findings = await diagnose({ client, namespace: operatorNamespace(call) })
    const format = call.text('output')
    if (format === 'json') io.out(`${JSON.stringify({ findings }, null, 2)}\n`)
    else if (format === 'yaml') io.out(yamlOf({ findings }))
    else {
      for (const { check, level, message } of findings)
        io.out(`${io.paint(colours[level], level.padEnd(7))}  ${check.padEnd(12)}  ${message}\n`)
    }
    return findings.some(({ level }) => level === 'error') ? exitCodes.notSo : exitCodes.done
  })
