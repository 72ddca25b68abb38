import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { crdFiles } from '../../crds/crd.ts'
import { kinds } from '../../operator/api/kinds.ts'
import { ensureBinaries } from '../cluster/binaries.ts'
import { reportToTerminal } from '../cluster/progress.ts'

/** What the API server itself estimates (test/cluster/go/celcost); we keep to half of what it allows. */
interface Cost {
  readonly crd: string
  readonly total: number
  readonly totalLimit: number
  readonly expressionLimit: number
  readonly expressions: readonly { path: string; expression: string; cost: number; error?: string }[]
}

async function estimate(): Promise<readonly Cost[]> {
  const { celcost } = await ensureBinaries(['celcost'], reportToTerminal)
  const folder = new URL('../../crds/', import.meta.url)
  const { stdout } = await promisify(execFile)(celcost, crdFiles, { cwd: folder })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Cost)
}

describe('the CEL rules of the CRDs', () => {
  it('cost less than half of what the API server allows', async () => {
    const costs = await estimate()
    expect(costs.length).toBe(kinds.length)
    for (const { crd, total, totalLimit, expressionLimit, expressions } of costs) {
      const [dearest] = expressions
      const percent = ((100 * total) / totalLimit).toFixed(2)
      console.log(
        `${crd}: ${total} of ${totalLimit} (${percent} %); dearest ${dearest?.cost} of ${expressionLimit} at ${dearest?.path}`,
      )
      expect(expressions.filter((each) => each.error !== undefined)).toEqual([])
      expect(expressions.filter((each) => each.cost > expressionLimit / 2)).toEqual([])
      expect(total).toBeLessThanOrEqual(totalLimit / 2)
    }
  }, 600_000)
})
