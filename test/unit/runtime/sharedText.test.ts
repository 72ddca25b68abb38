import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import { sharedText } from '../../../operator/runtime/sharedText.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of the heap that something still refers to. */
function usedBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

describe('the one copy of each text', () => {
  it('is of the same text', () => {
    for (const text of ['', 'a', 'a'.repeat(100_000)])
      expect([sharedText(text), sharedText(text)]).toEqual([text, text])
  })

  it('does not outlive the objects it was in, when it is large', () => {
    const before = usedBytes()
    // As large as a file of a stack may be.
    for (let index = 0; index < 1000; index += 1) sharedText(String(index).padEnd(65_536))
    expect((usedBytes() - before) / 1e6).toBeLessThan(5)
  })
})
