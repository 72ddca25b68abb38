import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Resident memory of the idle operator on the cluster of KUBECONFIG, beside a process that only imports its packages
 * (promise T7). Reported, never judged: npm run bench:idle [-- SECONDS]
 */

const settleSeconds = Number(process.argv[2] ?? 30)

const packages = ['@kubernetes/client-node', '@dot-i/k8s-operator', 'zod', 'js-yaml', 'pino', 'undici']
const imports = `${packages.map((name) => `await import('${name}')`).join(';')}; setInterval(() => {}, 1000)`

const subjects = {
  'packages only': ['--input-type=module', '--eval', imports],
  operator: ['operator/main.ts'],
}

function megabytes(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? 0) / 1024
}

for (const [name, args] of Object.entries(subjects)) {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, APPSTEAD_HEALTH_PORT: '0', APPSTEAD_METRICS_PORT: '0', APPSTEAD_LOG_LEVEL: 'warn' },
  })
  await sleep(settleSeconds * 1000)
  process.stdout.write(`${name}: ${megabytes(child.pid ?? 0).toFixed(0)} MB after ${settleSeconds} s\n`)
  child.kill('SIGTERM')
}
