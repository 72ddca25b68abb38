import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { stringify } from 'yaml'
import { lintFile } from '../../../cli/lint/lint.ts'
import { kinds } from '../../../operator/api/kinds.ts'
import { goodObjects, spoiltObjects } from '../../support/arbitraryObjects.ts'
import { objectionsTo } from '../../support/verdict.ts'
import { appstead } from './cli.ts'

const examples = join(import.meta.dirname, '../../../examples')
const exampleFiles = readdirSync(examples, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => join(examples, file))

const linesOf = (text: string): readonly string[] =>
  lintFile('x.yaml', text).findings.map(
    ({ line, column, object, field, message }) => `${line}:${column} ${object} ${field}: ${message}`,
  )

const app = (service: string): string => `apiVersion: appstead.dev/v1alpha1
kind: App
metadata: { name: hello }
spec:
  stack:
    services:
      - name: web
        ${service}
`

describe('lint', () => {
  it('finds nothing in the examples', async () => {
    const { code, stdout, stderr } = await appstead(['lint', ...exampleFiles.flatMap((file) => ['-f', file])])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^\d+ objects of Appstead are good; \d+ of others not looked at\n$/)
  })

  it('looks into the lists that kubectl writes, at each object where it stands', async () => {
    const input = [
      'apiVersion: v1',
      'kind: List',
      'items:',
      '  - apiVersion: v1',
      '    kind: Secret',
      '    metadata: { name: db }',
      '  - apiVersion: appstead.dev/v1alpha1',
      '    kind: AppInstance',
      '    metadata: { name: a-b }',
      '    spec: { app: a, env: dev, replica: 2 }',
      '  - 7',
      '',
    ].join('\n')
    const { code, stdout } = await appstead(['lint', '-f', '-'], { input })
    expect([code, stdout]).toEqual([
      3,
      "-:10:31: AppInstance a-b: spec.replica: is no field here: did you mean 'replicas'?\n" +
        '-:11:5: is no object of Kubernetes: it has no fields\n',
    ])
    const good = { kind: 'AppInstance', apiVersion: 'appstead.dev/v1alpha1', spec: { app: 'a', env: 'dev' } }
    const items = ['a-b', 'a-c'].map((name) => ({ ...good, metadata: { name } }))
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: {}, items }, null, 2)
    expect((await appstead(['lint', '-f', '-'], { input: list })).stdout).toBe('2 objects of Appstead are good\n')
  })

  it('says where it is, what stands there and what would be right, and ends with 3', async () => {
    const { code, stdout, stderr } = await appstead(['lint', '-f', '-'], { input: app('ports: [{ port: 70000 }]') })
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
    expect(stdout).toBe('-:8:25: App hello: spec.stack.services[0].ports[0].port: 70000 is too much: at most 65535\n')
  })

  it.each([
    [
      'env: [{ name: A, value: b }]',
      "8:9 App hello spec.stack.services[0].env: is no field here: did you mean 'variables'?",
    ],
    [
      'healthChek: {}',
      "8:9 App hello spec.stack.services[0].healthChek: is no field here: did you mean 'healthCheck'?",
    ],
    ['type: Wrker', "8:15 App hello spec.stack.services[0].type: 'Wrker' is refused: it must be 'Web' or 'Worker'"],
    // As kubectl reads it, yes is no text.
    ['command: [yes]', '8:19 App hello spec.stack.services[0].command[0]: true is of another type: it must be a text'],
    [
      'variables: [{ value: x }]',
      '8:21 App hello spec.stack.services[0].variables[0].name: is missing: it must be a text',
    ],
    [
      'image: "a b"',
      "8:16 App hello spec.stack.services[0].image: 'a b' is refused: it must be the reference of an image",
    ],
    ['name: again', '8:9  : Map keys must be unique'],
    ['{', '8:9  : '],
  ])('of %s', (service, line) => {
    expect(linesOf(app(service)).join('\n')).toContain(line)
  })

  it.each([
    [
      'apiVersion: appstead.dev/v1\nkind: App\n',
      "1:13 App apiVersion: 'appstead.dev/v1' is not known: it must be 'appstead.dev/v1alpha1'",
    ],
    [
      'apiVersion: appstead.dev/v1alpha1\nkind: AppInstnce\n',
      "2:7 AppInstnce kind: 'AppInstnce' is no kind of appstead.dev: did you mean 'AppInstance'?",
    ],
    ['kind: App\n', '1:1 App apiVersion: is missing, or no text'],
    ['- a\n', '1:1  : is no object of Kubernetes: it has no fields'],
    ['a: *b\n', '1:1  : Unresolved alias'],
  ])('of what is no object of ours: %j', (text, line) => {
    expect(linesOf(text)).toEqual([expect.stringContaining(line)])
  })

  it('names a rule of the kind that is broken', () => {
    const text =
      'apiVersion: appstead.dev/v1alpha1\nkind: AppInstance\nmetadata: { name: blog-dev }\nspec: { app: shop, env: dev }\n'
    expect(linesOf(text)).toEqual([
      "3:19 AppInstance blog-dev metadata.name: 'blog-dev' is refused: metadata.name must begin with spec.app and a dash",
    ])
  })

  it('takes empty documents and other people’s objects', () => {
    expect(lintFile('x', '---\n---\n# nothing\n---\napiVersion: v1\nkind: Secret\n')).toEqual({
      findings: [],
      looked: 0,
      others: 1,
    })
  })

  // What objectionsTo says is held against the API server by apiserver/crdsParity.
  it.each(kinds)('reads $kind from YAML as it is', (kind) => {
    const object = fc.oneof(goodObjects(kind), spoiltObjects(kind))
    fc.assert(
      fc.property(object, (each) => {
        const text = stringify(each, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
        expect(lintFile('x', text).findings.length).toBe(
          objectionsTo(kind, JSON.parse(JSON.stringify(each)) as object).length,
        )
      }),
      { numRuns: 60 },
    )
  })
})

describe('the command line', () => {
  it.each([
    [['lnt'], "unknown command 'lnt'; there is 'lint'; kubectl appstead --help lists all"],
    [['lint', '--filname', 'x'], "unknown option '--filname' of lint; there is '--filename'"],
    [['lint'], '-f FILE is missing: which files? - is the standard input'],
    [['lint', '-f'], '-f of lint needs a value: FILE'],
    [['lint', '-f', 'gone.yaml'], "-f 'gone.yaml': there is no such file"],
    [['lint', '-o', 'xml'], "-o 'xml' is not known: it must be json"],
    [['lint', '--color', 'blue'], "--color 'blue' is not known: it must be auto or always or never"],
    [['lint', 'x.yaml'], "'x.yaml' is too much; usage: kubectl appstead lint -f FILE…"],
  ])('%j is told in one line on stderr, and ends with 1', async (words, line) => {
    expect(await appstead(words)).toEqual({ code: 1, stdout: '', stderr: `error: ${line}\n` })
  })

  it('helps, with a command and without', async () => {
    const all = await appstead([])
    expect(all).toMatchObject({ code: 0, stderr: '' })
    expect(all.stdout).toMatch(/^ {2}lint +Says what the API server would refuse/m)
    for (const words of [
      ['lint', '--help'],
      ['help', 'lint'],
    ]) {
      expect((await appstead(words)).stdout).toMatch(/^ {2}-f, --filename FILE /m)
    }
  })

  it('colours nothing where there is no terminal, unless asked', async () => {
    const input = app('env: []')
    expect((await appstead(['lint', '-f', '-'], { input })).stdout).not.toContain('\u001b')
    expect((await appstead(['lint', '-f', '-', '--color', 'always'], { input })).stdout).toContain('\u001b[1m-:8:9:')
  })
})
