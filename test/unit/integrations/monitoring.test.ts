import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { load } from 'js-yaml'
import { phase } from '../../../operator/api/appInstanceStatus.ts'
import { conditionTypes, reasons } from '../../../operator/api/conditions.ts'

/** What holds integrations/monitoring to the operator and to docs/runbooks; test/apiserver/product/monitoring.test.ts runs it. */

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}
const { groups } = load(read('integrations/monitoring/alerts.yaml')) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)

describe.each(rules.map((rule) => [rule.alert, rule] as const))('%s', (alert, { labels, annotations }) => {
  it('says what is wrong, how bad it is, and a command', () => {
    expect(labels).toEqual({ severity: expect.stringMatching(/critical|warning|info/) })
    expect(annotations).toEqual({
      summary: expect.stringMatching(/\S/),
      description: expect.stringMatching(/: kubectl \S/),
      runbook_url: `docs/runbooks/${alert}.md`,
    })
  })

  it('has a runbook of its name', () => {
    const page = read(annotations['runbook_url'] ?? '')
    expect(page.split('\n')[0]).toBe(`# ${alert}`)
    expect(page.match(/^\*\*.*?\*\*/gm)).toEqual(['**What it means.**', '**How to see it.**', '**What to do.**'])
  })
})

describe('the runbooks', () => {
  const pages = readdirSync(new URL('docs/runbooks/', root)).filter((name) => name !== 'README.md')

  it('are of alerts that there are', () => {
    expect(pages.toSorted()).toEqual(rules.map(({ alert }) => `${alert}.md`).toSorted())
  })

  it.each(pages)('%s names reasons and pages that there are', (name) => {
    const page = read(`docs/runbooks/${name}`)
    const words = [...page.matchAll(/`([A-Z][a-z]+[A-Z][A-Za-z]+)`/g)].map(([, word = '']) => word)
    expect(words.filter((word) => !(word in reasons))).toEqual([])
    const links = [...page.matchAll(/\]\((\w+\.md)\)/g)].map(([, link = '']) => link)
    expect(links.filter((link) => !pages.includes(link))).toEqual([])
  })
})

describe('what is selected by', () => {
  const all = rules.map(({ expr }) => expr).join('\n')
  const values = (label: string): readonly string[] =>
    [...all.matchAll(new RegExp(`${label}="(\\w+)"`, 'g'))].map(([, value = '']) => value)

  it('condition and reason is in the lists of the API', () => {
    expect(values('condition').filter((type) => !(type in conditionTypes))).toEqual([])
    expect(values('reason').filter((reason) => !(reason in reasons))).toEqual([])
  })

  it('phase: kube-state-metrics knows each', () => {
    const { spec } = load(read('integrations/monitoring/kube-state-metrics.yaml')) as {
      spec: { resources: { metrics: { name: string; each: { stateSet?: { list: string[] } } }[] }[] }
    }
    const [resource] = spec.resources
    const found = resource?.metrics.find(({ name }) => name === 'appinstance_status_phase')
    expect(found?.each.stateSet?.list).toEqual(phase.options)
  })
})
