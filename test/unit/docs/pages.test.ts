import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { loadAll } from 'js-yaml'
import { lintFile, sentenceOf } from '../../../cli/lint/lint.ts'
import { checkout } from '../../cluster/layout.ts'
import { readPage, type Block, type Page } from '../../docs/page.ts'
import { elsewhere, installPage, kwokPages, nodePages } from '../../docs/walks.ts'

/** What is written for users: every block is run or looked at by a test, every link leads somewhere. */

const pathsIn = (...patterns: readonly string[]): readonly string[] =>
  globSync(patterns, { cwd: checkout, exclude: (name) => ['node_modules', '.cluster'].includes(name) })

const documents = pathsIn('README.md', 'docs/**/*.md').toSorted()
const walked = new Set<string>([...nodePages, ...kwokPages, installPage])
const runElsewhere = (path: string): boolean => Object.keys(elsewhere).some((each) => path.startsWith(each))

const cases = documents.map((path) => [path, readPage(path)] as const)

/** What is wrong with a block that is to be walked; '' when nothing is. */
function objectionTo(page: Page, block: Block): string {
  const { language, attributes, place, text } = block
  if (runElsewhere(page.path)) {
    const isRun = language === '' && /^((kubectl|export) .*\n)+$/.test(text)
    return isRun ? '' : `${place}: a block of kubectl commands is indented here, as the test that runs them takes them`
  }
  const before = page.blocks[page.blocks.indexOf(block) - 1]
  switch (language) {
    case 'sh':
      return walked.has(page.path) ? '' : `${place}: its commands are run by no test; walks.ts lists pages`
    case 'yaml':
      return objectionToYaml(page, block)
    case 'text':
      if (text.trim() === '…') return `${place}: shows nothing; leave it out`
      if ('picture' in attributes || before?.language === 'sh') return ''
      return `${place}: what command prints this? If none does: text picture`
    case 'mermaid':
      return /^\s*(stateDiagram-v2|flowchart)/.test(text) ? '' : `${place}: no diagram that is used here`
    default:
      return `${place}: a block must be sh, yaml, text or mermaid between fences; it is '${language}'`
  }
}

function objectionToYaml({ blocks }: Page, block: Block): string {
  const { place, attributes, text } = block
  const { title = '' } = attributes
  const { findings, looked } = lintFile(place, text)
  if (title === '') {
    if (looked === 0) return `${place}: has no title=…, so that no command can use it, and is none of our kinds`
    return findings.map((finding) => sentenceOf(finding)).join('\n')
  }
  const later = blocks.slice(blocks.indexOf(block)).filter(({ language }) => language === 'sh')
  const names = title === 'kustomization.yaml' ? ['-k .'] : [title]
  if (!later.some((each) => names.some((name) => each.text.includes(name)))) return `${place}: no command uses ${title}`
  if (attributes['wrong'] !== undefined) return ''
  return findings.map((finding) => sentenceOf(finding)).join('\n')
}

describe.each(cases)('%s', (_path, page) => {
  it('has no block that nobody runs or looks at', () => {
    expect(page.blocks.map((block) => objectionTo(page, block)).filter((text) => text !== '')).toEqual([])
  })

  it('has YAML that can be read', () => {
    for (const { language, text } of page.blocks) if (language === 'yaml') loadAll(text)
  })
})

describe('the lists of walks', () => {
  it('name pages that there are, each once', () => {
    const listed = [...nodePages, ...kwokPages, installPage]
    expect(listed.toSorted()).toEqual([...walked].toSorted())
    expect(listed.filter((path) => !documents.includes(path))).toEqual([])
  })

  it.each(Object.entries(elsewhere))('%s is read by %s', (path, by) => {
    expect(documents.some((each) => each.startsWith(path))).toBe(true)
    expect(readFileSync(join(checkout, by), 'utf8')).toContain(path)
  })
})

describe('links', () => {
  const pages = new Map(pathsIn('*.md', '*/**/*.md').map((path) => [path, readPage(path)] as const))

  it.each([...pages])('of %s lead somewhere', (_path, page) => {
    expect(page.links.filter(({ target }) => !leads(page.path, target))).toEqual([])
  })

  it('lead to every page of docs/ from its index', () => {
    const seen = new Set<string>()
    const follow = (path: string): void => {
      if (seen.has(path)) return
      seen.add(path)
      for (const { target } of pages.get(path)?.links ?? []) follow(resolve(path, target).file)
    }
    follow('docs/README.md')
    expect(documents.filter((path) => path.startsWith('docs/') && !seen.has(path))).toEqual([])
  })

  function leads(from: string, target: string): boolean {
    const { file, anchor } = resolve(from, target)
    if (!existsSync(join(checkout, file))) return false
    const page = pages.get(statSync(join(checkout, file)).isDirectory() ? join(file, 'README.md') : file)
    return anchor === '' || page === undefined || page.anchors.has(anchor)
  }
})

/** The file of the repository and the place in it that a link names. */
function resolve(from: string, target: string): { readonly file: string; readonly anchor: string } {
  const [path = '', anchor = ''] = target.split('#')
  return { file: path === '' ? from : normalize(join(dirname(from), path)), anchor }
}
