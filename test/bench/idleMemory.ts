import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { layOutOperator } from '../support/shippedOperator.ts'
import { measure, measurePackages, promisedRatio } from './resident.ts'

/**
 * Resident memory of the idle operator, as its image has it, on the cluster of KUBECONFIG, beside a process that only
 * imports its packages (promise T7). Reported, never judged: npm run bench:idle [-- SECONDS]. The cluster needs our CRDs and the namespace
 * appstead-system, or what is measured is an operator that waits.
 */

const seconds = Number(process.argv[2] ?? 30)

const folder = mkdtempSync(join(tmpdir(), 'appstead-idle-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const start = await layOutOperator(folder)
const child = spawn(process.execPath, start.arguments, {
  cwd: start.folder,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    ...start.environment,
    APPSTEAD_HEALTH_PORT: '0',
    APPSTEAD_METRICS_PORT: '0',
    APPSTEAD_LOG_LEVEL: 'info',
  },
})
let hasLed = false
createInterface({ input: child.stdout }).on('line', (line) => (hasLed ||= line.includes('"msg":"Leading"')))
const operator = await measure(child, seconds)
const packages = await measurePackages(seconds)
const options = start.arguments.slice(0, -1)
const tuned = await measurePackages(seconds, options)
const timesOf = (megabytes: number): string => (operator / megabytes).toFixed(2)

process.stdout.write(
  `packages only ${packages.toFixed(0)} MB, operator ${operator.toFixed(0)} MB, each after ${seconds} s: ` +
    `${timesOf(packages)} times as much (promised, T7: at most ${promisedRatio})\n` +
    `packages only, as the image starts Node (${options.join(' ')}): ${tuned.toFixed(0)} MB, ${timesOf(tuned)} times\n`,
)
if (!hasLed) {
  process.stdout.write(
    'The operator did not lead, so this is not what a working one needs: are the CRDs and the namespace ' +
      'appstead-system there, and does no other operator lead?\n',
  )
}
