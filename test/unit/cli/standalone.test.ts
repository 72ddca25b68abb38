import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { appstead, main } from './cli.ts'

const root = join(import.meta.dirname, '../../..')
const hello = join(root, 'examples/hello/hello.yaml')

let folder = ''
let program = ''
let bundle = ''

/** How a program ended, and what it wrote. */
const call = (file: string, ...words: readonly string[]): readonly unknown[] => {
  const { status, stdout, stderr } = spawnSync(file, words, { encoding: 'utf8', env: { ...process.env, PATH: '' } })
  return [status, stdout, stderr]
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'appstead-'))
  // By a process of its own: it is a copy of the Node that runs it.
  const { stdout } = spawnSync(process.execPath, ['cli/build.ts', folder], { cwd: root, encoding: 'utf8' })
  ;[bundle = '', program = ''] = stdout.split('\n')
  const megabytes = [bundle, program].map((file) => (statSync(file).size / 1e6).toFixed(1))
  process.stderr.write(`the plugin: ${megabytes[0]} MB for Node, ${megabytes[1]} MB as a program\n`)
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true }))

describe('the plugin in one file', () => {
  it.each([
    ['lint', '-f', hello],
    ['render', '-f', hello],
    ['render', '-f', hello, '-o', 'name'],
    ['lint', '--filname', 'x'],
    ['--help'],
  ])('does what it does from its sources, without Node in the PATH: %s %s %s', async (...words) => {
    const { code, stdout, stderr } = await appstead(words)
    expect(call(program, ...words)).toEqual([code, stdout, stderr])
    expect(call(process.execPath, bundle, ...words)).toEqual([code, stdout, stderr])
  })

  it('answers completion when it is called by that name', () => {
    const link = join(folder, 'kubectl_complete-appstead')
    symlinkSync(program, link)
    expect(call(link, 'wh')).toEqual([0, 'why\n:4\n', ''])
  })

  it('says that there is no cluster, in one line', () => {
    expect(call(program, 'why', 'x', '--kubeconfig', '/nowhere')).toEqual([
      1,
      '',
      'error: kubeconfig "/nowhere": "/nowhere" cannot be read (ENOENT)\n',
    ])
  })
})

describe('what needs no cluster', () => {
  const told = `
    import { registerHooks } from 'node:module'
    const loaded = new Set()
    const load = (url, context, next) => {
      loaded.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1])
      return next(url, context)
    }
    registerHooks({ load })
    process.on('exit', () => console.error([...loaded].filter(Boolean).sort().join()))`
  const hooks = `data:text/javascript,${encodeURIComponent(told)}`

  it.each(['lint', 'render'])('%s loads neither a client nor a log', (command) => {
    const [status, , loaded] = call(process.execPath, '--import', hooks, main, command, '-f', hello)
    expect([status, loaded]).toEqual([0, 'yaml,zod\n'])
  })
})
