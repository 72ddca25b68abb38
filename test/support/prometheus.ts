import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dump } from 'js-yaml'
import { waitUntil } from '../cluster/kubeApi.ts'
import { ensurePackages } from '../cluster/packages.ts'
import { findFreePorts } from '../cluster/ports.ts'
import { run } from '../cluster/process.ts'
import { reportToTerminal } from '../cluster/progress.ts'

/** Debian's Prometheus, as a process of the test that started it. */
export interface Prometheus {
  /** The result of an expression now; rejects with Prometheus' words where it cannot be evaluated. */
  query(expression: string): Promise<readonly Found[]>
  /** Alerts that are pending or firing. */
  alerts(): Promise<readonly Alert[]>
  /** Resolves when all targets were read after this was asked, and each rule was evaluated on what they showed. */
  untilJudged(): Promise<void>
  stop(): Promise<void>
}

interface Found {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

export interface Alert {
  readonly state: 'pending' | 'firing'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface PrometheusOptions {
  /** Ports on loopback that show /metrics, by job. */
  readonly jobs: Readonly<Record<string, number>>
  /** The groups of a file of rules. */
  readonly groups: readonly object[]
}

/** Prometheus' own check of a file of rules; rejects with its words where it objects. */
export async function checkRules(file: string): Promise<void> {
  await ensurePrometheus()
  await run('promtool', ['check', 'rules', file])
}

/** Prometheus' own tests of rules (a file for `promtool test rules`); rejects with what was expected and found. */
export async function testRules(file: string): Promise<void> {
  await ensurePrometheus()
  await run('promtool', ['test', 'rules', file])
}

const ensurePrometheus = (): Promise<void> =>
  ensurePackages([{ name: 'prometheus', command: 'prometheus' }], reportToTerminal)

/** Starts one that scrapes and evaluates once a second; resolves when all its targets are up. */
export async function startPrometheus({ jobs, groups }: PrometheusOptions): Promise<Prometheus> {
  await ensurePrometheus()
  const folder = mkdtempSync(join(tmpdir(), 'appstead-prometheus-'))
  const [port = 0] = await findFreePorts(crypto.randomUUID(), 1)
  writeFileSync(join(folder, 'rules.yaml'), dump({ groups }))
  writeFileSync(join(folder, 'prometheus.yaml'), dump(configOf(jobs)))
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const texts: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => texts.push(text))
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  }
  const ask = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)
    const { data, error } = (await answer.json()) as { data: T; error?: string }
    if (error !== undefined) throw new Error(`${decodeURIComponent(path)}: ${error}`)
    return data
  }
  const query = async (expression: string): Promise<readonly Found[]> =>
    (await ask<{ result: readonly Found[] }>(`query?query=${encodeURIComponent(expression)}`)).result
  try {
    await waitUntil('Prometheus sees its targets', 30, async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended: ${texts.join('')}`)
      const up = await query('up == 1').catch(() => [])
      return up.length === Object.keys(jobs).length
    })
  } catch (error) {
    await stop()
    throw error
  }
  const lastEvaluation = async (): Promise<number> => {
    const { groups: judged } = await ask<{ groups: readonly { lastEvaluation: string }[] }>('rules')
    return Math.min(...judged.map((group) => Date.parse(group.lastEvaluation) / 1000))
  }
  return {
    query,
    alerts: async () => (await ask<{ alerts: readonly Alert[] }>('alerts')).alerts,
    async untilJudged() {
      const since = Date.now() / 1000
      let read = 0
      await waitUntil('all targets are read again', 30, async () => {
        const [oldest] = await query('min(timestamp(up))')
        read = Number(oldest?.value[1])
        return read > since
      })
      // A rule looks at its own beat of a second, which may be one before the moment at which it is evaluated.
      await waitUntil('all rules are evaluated again', 30, async () => (await lastEvaluation()) > read + 2)
    },
    stop,
  }
}

function configOf(jobs: PrometheusOptions['jobs']): object {
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yaml'],
    scrape_configs: Object.entries(jobs).map(([job, port]) => ({
      job_name: job,
      // As kube-state-metrics is scraped: `namespace` is that of what a series tells of.
      honor_labels: true,
      static_configs: [{ targets: [`127.0.0.1:${port}`] }],
    })),
  }
}
