import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { readRecorded, recordedNames } from './recorded.ts'

/**
 * What kube-state-metrics shows of the recorded instances, with integrations/monitoring/kube-state-metrics.yaml: its own
 * words, recorded by test/apiserver/product/monitoringSeries.test.ts. It is not built for each run: that takes three minutes.
 */

const file = new URL('series.prom', import.meta.url)
const config = new URL('../../integrations/monitoring/kube-state-metrics.yaml', import.meta.url)

/** The namespace in which the instance of that name was recorded. */
export const namespaceOf = (name: string): string => `phase-${name}`

/** Changes with the instances and with what kube-state-metrics is to show of them. */
export function digestOfSources(): string {
  const sources = [load(readFileSync(config, 'utf8')), ...recordedNames().map(readRecorded)]
  return createHash('sha256').update(JSON.stringify(sources)).digest('hex').slice(0, 16)
}

/** The digest of what the series were recorded of. */
export const recordedDigest = (): string => /^# of (\w+)\n/.exec(readFileSync(file, 'utf8'))?.[1] ?? ''

/** What Prometheus would read if there were these instances and no others. */
export function seriesOf(names: readonly string[]): string {
  const wanted = new Set(names.map((name) => `namespace="${namespaceOf(name)}"`))
  const lines = readFileSync(file, 'utf8').split('\n')
  const isWanted = (line: string): boolean =>
    line.startsWith('# ') ? /^# (HELP|TYPE) /.test(line) : wanted.has(/namespace="[^"]*"/.exec(line)?.[0] ?? '')
  return `${lines.filter(isWanted).join('\n')}\n`
}

/** Records what kube-state-metrics shows; times are those of the recorded instances. */
export function writeSeries(exposition: string): void {
  const time = Date.parse('2026-01-02T03:04:05Z') / 1000
  const text = exposition.replace(/^(appstead_appinstance_(?:created|deletion_timestamp)\{.*\}) .*$/gm, `$1 ${time}`)
  writeFileSync(file, `# of ${digestOfSources()}\n${inOrder(text)}`)
}

/** Each metric's lines in the order of the alphabet. */
function inOrder(text: string): string {
  const families = text.split(/^(?=# HELP )/m).map((family) => family.trimEnd().split('\n'))
  const sorted = families.map((lines) => [
    ...lines.filter((line) => line.startsWith('#')),
    ...lines.filter((line) => !line.startsWith('#')).toSorted(),
  ])
  return `${sorted.map((lines) => lines.join('\n')).join('\n')}\n`
}
