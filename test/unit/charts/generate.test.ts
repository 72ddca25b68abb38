import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { makeCrdTemplate } from '../../../charts/crdTemplate.ts'
import { generatedFiles, generatedFolders } from '../../../charts/generate.ts'
import { valuesSchema } from '../../../charts/values.ts'
import { findDrift } from '../../../crds/generated.ts'
import { kinds } from '../../../operator/api/kinds.ts'
import { ConfigError, readConfig } from '../../../operator/config.ts'

const root = new URL('../../../', import.meta.url)
const files = await generatedFiles()

describe('the generated files of the chart', () => {
  it('are what their sources say', async () => {
    expect(await findDrift(files, generatedFolders)).toEqual([])
  })

  it('are named when they are not', async () => {
    const edited = new Map([...files, ['charts/appstead/values.yaml', 'edited by hand']])
    expect(await findDrift(edited)).toContain('charts/appstead/values.yaml is not what its source says')
  })

  it('are named when they are missing', async () => {
    const more = new Map([...files, ['charts/appstead/templates/crds/appnews.yaml', 'new']])
    expect(await findDrift(more)).toContain('charts/appstead/templates/crds/appnews.yaml is missing')
  })

  it('are named when their source is gone', async () => {
    const fewer = new Map([...files].filter(([path]) => !path.endsWith('/appenvs.yaml')))
    expect(await findDrift(fewer, generatedFolders)).toContain(
      'charts/appstead/templates/crds/appenvs.yaml has no source any more',
    )
  })

  it('have a CRD for every kind', () => {
    const names = [...files.keys()].filter((path) => path.includes('/crds/')).map((path) => path.split('/').at(-1))
    expect(new Set(names)).toEqual(new Set(kinds.map(({ plural }) => `${plural}.yaml`)))
  })
})

describe('the version of the chart', () => {
  it('is that of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string }
    const chart = readFileSync(new URL('charts/appstead/Chart.yaml', root), 'utf8')
    expect(chart).toContain(`\nversion: ${version}\nappVersion: ${version}\n`)
  })
})

const crd = (spec: string): string =>
  `kind: CustomResourceDefinition\nmetadata:\n  name: a.b\n  annotations:\n    c: d\nspec:\n  ${spec}\n`

describe('the template of a CRD', () => {
  it('keeps braces that Helm would take for its own', () => {
    expect(makeCrdTemplate(crd('x: "{{ y }}"'))).toContain('x: "{{ "{{" }} y }}"')
  })

  it('is refused for anything else', () => {
    expect(() => makeCrdTemplate('kind: Secret\nmetadata: {name: a}\nspec:\n')).toThrow('no CustomResourceDefinition')
  })
})

/** A setting of the chart and the variable that hands it on: both must allow the same. */
const settings = {
  logLevel: 'APPSTEAD_LOG_LEVEL',
  workers: 'APPSTEAD_WORKERS',
  reconcileDeadlineSeconds: 'APPSTEAD_RECONCILE_DEADLINE_SECONDS',
  stopGraceSeconds: 'APPSTEAD_STOP_GRACE_SECONDS',
  leaseSeconds: 'APPSTEAD_LEASE_SECONDS',
} as const

const candidates = ['debug', 'info', 'warn', 'error', 'trace', '', -1, 0, 1, 2, 3, 8, 64, 65, 300, 301, 3600, 3601, 1.5]

describe('the settings of the chart', () => {
  it('are all handed on by the Deployment', () => {
    expect(Object.keys(valuesSchema.shape.settings.unwrap().shape).toSorted()).toEqual(Object.keys(settings).toSorted())
    const deployment = readFileSync(new URL('charts/appstead/templates/deployment.yaml', root), 'utf8')
    for (const [setting, variable] of Object.entries(settings)) {
      expect(deployment).toContain(
        `- name: ${variable}\n              value: {{ .Values.settings.${setting} | quote }}`,
      )
    }
  })

  it('default to what the operator defaults to', () => {
    expect(readConfig({ HOSTNAME: 'x' })).toMatchObject(valuesSchema.parse({}).settings)
  })

  it.each(Object.entries(settings))('%s allows what the operator allows', (setting, variable) => {
    for (const candidate of candidates.filter((value) => value !== '')) {
      const isAllowed = valuesSchema.safeParse({ settings: { [setting]: candidate } }).success
      expect([candidate, isAllowed]).toEqual([candidate, isRead({ [variable]: String(candidate) })])
    }
  })

  it('leave the ports where probes and scrapers look for them', () => {
    const deployment = readFileSync(new URL('charts/appstead/templates/deployment.yaml', root), 'utf8')
    const { healthPort, metricsPort } = readConfig({})
    expect(deployment).toContain(`- name: health\n              containerPort: ${healthPort}\n`)
    expect(deployment).toContain(`- name: metrics\n              containerPort: ${metricsPort}\n`)
  })
})

function isRead(environment: Record<string, string>): boolean {
  try {
    readConfig(environment)
    return true
  } catch (error) {
    if (error instanceof ConfigError) return false
    throw error
  }
}
