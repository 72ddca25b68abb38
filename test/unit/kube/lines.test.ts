import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { parseLines } from '../../../operator/kube/lines.ts'

async function* chunksOf(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer, void, undefined> {
  let start = 0
  for (const cut of [...cuts].toSorted((a, b) => a - b)) {
    yield bytes.subarray(start, cut)
    start = Math.max(start, cut)
  }
  yield bytes.subarray(start)
}

async function read(text: string, cuts: readonly number[] = [], maxBytes = 1000): Promise<unknown[]> {
  const values: unknown[] = []
  for await (const value of parseLines('watch pods', chunksOf(Buffer.from(text), cuts), maxBytes)) values.push(value)
  return values
}

describe('lines of JSON', () => {
  it('are the same wherever the stream is cut, also within a character', async () => {
    const values = fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }) }), { maxLength: 5 })
    const cuts = fc.array(fc.nat(200), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(values, cuts, async (lines, at) => {
        const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
        const length = Buffer.byteLength(text)
        expect(
          await read(
            text,
            at.map((cut) => Math.min(cut, length)),
            10_000,
          ),
        ).toEqual(lines)
      }),
    )
  })

  it('give what came before a broken line, and then its error', async () => {
    const values: unknown[] = []
    const broken = async (): Promise<void> => {
      for await (const value of parseLines('watch pods', chunksOf(Buffer.from('{"a":1}\n{"a":\n{"a":3}\n'), []), 1000))
        values.push(value)
    }
    await expect(broken()).rejects.toMatchObject({ code: 'Malformed', message: 'watch pods: a line is no JSON' })
    expect(values).toEqual([{ a: 1 }])
  })

  it('tell a stream that was cut off within a line', async () => {
    await expect(read('{"a":1}\n{"a"')).rejects.toMatchObject({
      code: 'Malformed',
      message: 'watch pods: the stream ended within a line',
    })
  })

  it('stop at a line that is too long, before it is all there', async () => {
    await expect(read(`"${'x'.repeat(2000)}`, [500, 900, 1500])).rejects.toMatchObject({ code: 'TooLarge' })
  })
})
