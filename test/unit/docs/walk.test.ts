import { describe, expect, it } from '@jest/globals'
import { parsePage } from '../../docs/page.ts'
import { matches } from '../../docs/walk.ts'

describe('what is printed is what a page shows', () => {
  it.each([
    ['the same', 'a b\nc\n', 'a b\nc\n', true],
    ['other spaces', 'a    b  \n', 'a b\n', true],
    ['another word', 'a b\n', 'a c\n', false],
    ['a line more', 'a\nb\n', 'a\n', false],
    ['a line less', 'a\n', 'a\nb\n', false],
    ['any lines', 'a\nb\nc\n', '…\nc\n', true],
    ['no lines where any may be', 'c\n', '…\nc\n', true],
    ['any end of a line', 'cause: it broke\n', 'cause: …\n', true],
    ['a dot is no wildcard', 'axb\n', 'a.b\n', false],
    ['another age', 'dev 5s\n', 'dev 2m10s\n', true],
    ['another hash of a revision', 'app-hello-r1-97c1e7 1\n', 'app-hello-r1-0e9dba 1\n', true],
    ['another number of a revision', 'app-hello-r1-97c1e7 1\n', 'app-hello-r2-97c1e7 1\n', false],
    ['another release', 'hello-dev-371b8-r2\n', 'hello-dev-0f339-r1\n', false],
    ['the same release of another uid', 'hello-dev-371b8-r2\n', 'hello-dev-0f339-r2\n', true],
    ['another pod', 'web-698f8db8fb-d9nt6 ready\n', 'web-c54f4bf8d-vzmfm ready\n', true],
    ['a pod of another service', 'web-698f8db8fb-d9nt6\n', 'api-698f8db8fb-d9nt6\n', false],
  ])('%s', (_case, output, shown, isIt) => {
    expect(matches(output, shown)).toBe(isIt)
  })
})

describe('a page', () => {
  const fence = '```'
  const text = `# Title

Text with [a link](other.md#there), \`[no](link)\` and [one outside](https://example.com).

    indented

## Part

${fence}sh exit=1
false
${fence}

${fence}yaml title=app.yaml wrong
a: 1

b: 2
${fence}

## Part
`
  const page = parsePage('docs/page.md', text)

  it('has blocks with their places', () => {
    expect(page.blocks).toEqual([
      { place: 'docs/page.md:5', language: '', attributes: {}, section: '', text: 'indented\n' },
      { place: 'docs/page.md:10', language: 'sh', attributes: { exit: '1' }, section: 'Part', text: 'false\n' },
      {
        place: 'docs/page.md:14',
        language: 'yaml',
        attributes: { title: 'app.yaml', wrong: 'wrong' },
        section: 'Part',
        text: 'a: 1\n\nb: 2\n',
      },
    ])
  })

  it('has links to places of the repository, and anchors', () => {
    expect(page.links).toEqual([{ place: 'docs/page.md:3', target: 'other.md#there' }])
    expect([...page.anchors]).toEqual(['title', 'part', 'part-1'])
  })

  it('whose block has no end is refused with its place', () => {
    expect(() => parsePage('docs/page.md', `a\n\n${fence}sh\ntrue\n`)).toThrow(
      'docs/page.md:4: the block is not closed',
    )
  })
})
