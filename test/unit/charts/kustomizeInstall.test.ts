import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, it } from '@jest/globals'
import { printKustomizeInstall } from '../../../charts/kustomizeInstall.ts'
import { ensureHelm } from '../../cluster/binaries.ts'
import { reportToTerminal } from '../../cluster/progress.ts'

const file = fileURLToPath(new URL('../../../charts/kustomize/operator.yaml', import.meta.url))

// The first time on a machine Helm is built, which takes minutes. `APPSTEAD_RECORD=yes` writes it anew.
it('what kustomize installs is what the chart makes', async () => {
  const text = printKustomizeInstall(await ensureHelm(reportToTerminal))
  if (process.env['APPSTEAD_RECORD'] === 'yes') writeFileSync(file, text)
  expect(readFileSync(file, 'utf8')).toBe(text)
}, 900_000)
