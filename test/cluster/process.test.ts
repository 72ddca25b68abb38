import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { waitUntil } from './kubeApi.ts'
import { withLock } from './lock.ts'
import { isRunning, killAll, launch, marked, recorded, startTimeOf, tailOf, type Started } from './process.ts'

let folder = ''
const launched: Started[] = []

async function start(name: string, args: string[]): Promise<Started> {
  const started = await launch({ name, command: 'sleep', args, folder })
  launched.push(started)
  return started
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'appstead-process-'))
})

afterEach(async () => {
  await killAll(launched.splice(0))
  rmSync(folder, { recursive: true, force: true })
})

describe('a process of a cluster', () => {
  it('is recorded, and killed by its record', async () => {
    const started = await start('sleeper', ['1000'])
    expect(recorded(folder).get('sleeper')).toEqual(started)
    expect(await isRunning(started)).toBe(true)
    await killAll(recorded(folder).values())
    expect(await isRunning(started)).toBe(false)
  })

  it('is not killed when its id has gone to another process', async () => {
    const other = await start('other', ['1000'])
    mkdirSync(join(folder, 'pids'), { recursive: true })
    writeFileSync(join(folder, 'pids', 'etcd.json'), JSON.stringify({ pid: other.pid, startTime: 'long ago' }))
    const etcd = recorded(folder).get('etcd')
    expect(etcd).toBeDefined()
    await killAll(etcd === undefined ? [] : [etcd])
    expect(await isRunning(other)).toBe(true)
  })

  it('is found by its marker when its record is lost', async () => {
    const started = await start('sleeper', ['1000'])
    // Between fork and exec a process still shows the environment of its parent.
    await waitUntil('the process carries its marker', 5, async () => (await marked(folder)).length > 0)
    rmSync(join(folder, 'pids'), { recursive: true })
    expect(recorded(folder).size).toBe(0)
    expect(await marked(folder)).toEqual([started])
    expect(await marked(`${folder}-other`)).toEqual([])
  })

  it('that cannot start is an error', async () => {
    await expect(launch({ name: 'none', command: '/nothing/here', args: [], folder })).rejects.toThrow('ENOENT')
  })

  it('leaves what it said in a log', async () => {
    const started = await start('failing', ['no-number'])
    await waitUntil('it ended', 5, async () => !(await isRunning(started)))
    expect(tailOf(folder, 'failing')).toContain('no-number')
  })

  it('with a record that a crash cut off is passed over', () => {
    mkdirSync(join(folder, 'pids'))
    writeFileSync(join(folder, 'pids', 'etcd.json'), '{"pid": 1')
    writeFileSync(join(folder, 'pids', 'init.json'), '{"pid": 1, "startTime": "x"}')
    expect(recorded(folder).size).toBe(0)
  })
})

const quiet = (): void => undefined

describe('a lock', () => {
  it('lets one do its work after the other', async () => {
    const path = join(folder, 'a.lock')
    const order: string[] = []
    const work = (name: string) => async (): Promise<void> => {
      order.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${name} ends`)
    }
    await Promise.all([withLock(path, quiet, work('one')), withLock(path, quiet, work('two'))])
    expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
  })

  it('of a process that is gone does not hold', async () => {
    const path = join(folder, 'a.lock')
    writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: 'long ago' }))
    await expect(withLock(path, quiet, async () => 'done')).resolves.toBe('done')
  })

  it('is released by work that fails', async () => {
    const path = join(folder, 'a.lock')
    const failing = withLock(path, quiet, async () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await expect(withLock(path, quiet, async () => 'done')).resolves.toBe('done')
  })

  it('knows a live process from one that is gone', async () => {
    expect(await startTimeOf(process.pid)).toBeDefined()
    expect(await startTimeOf(4_194_303)).toBeUndefined()
  })
})
