import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { accessRulesOf } from '../../../charts/accessRoles.ts'
import { projectRoles, projectRulesOf } from '../../../charts/projectRoles.ts'
import { bindRules, leaseRules, printRules, rulesOf, type Rule } from '../../../charts/rbac.ts'
import { accessRoles, type AccessRole } from '../../../operator/api/access.ts'
import { controllers, writes } from '../../../operator/controllers/controllers.ts'
import { informers } from '../../../operator/controllers/informers.ts'
import { grantsOf } from '../../../operator/rights.ts'

const rules = rulesOf(grantsOf({ informers, controllers, writes }))

/** Every right that something in the operator declares, as `group resource verb`. */
const declared = new Set([
  ...informers.flatMap(({ type }) => ['list', 'watch'].map((verb) => `${type.group} ${type.plural} ${verb}`)),
  ...writes.flatMap(({ type, verbs }) => verbs.map((verb) => `${type.group} ${type.plural} ${verb}`)),
  ...controllers
    .filter(({ kind }) => kind.status !== null)
    .map(({ kind }) => `${kind.group} ${kind.plural}/status patch`),
  ...controllers.filter(({ finalizer }) => finalizer).map(({ kind }) => `${kind.group} ${kind.plural} patch`),
  ' events create',
])

const given = rules.flatMap(({ apiGroups, resources, verbs }) =>
  verbs.map((verb) => `${apiGroups[0]} ${resources[0]} ${verb}`),
)

/** What a role allows, as `verb resource`. */
const allowed = (role: AccessRole): string[] => allowedBy(accessRulesOf(role))

function allowedBy(granted: readonly Rule[]): string[] {
  return granted.flatMap(({ resources, verbs }) => verbs.map((verb) => `${verb} ${resources[0]}`))
}

const thing = { group: 'g.dev', version: 'v1', kind: 'Thing', plural: 'things', namespaced: true, status: {} }

describe('the rights of the operator', () => {
  it('hold no wildcard', () => {
    expect(given.filter((right) => right.includes('*'))).toEqual([])
  })

  it('are those that watches, writes, status and finalizers declare, no more and no less', () => {
    expect(given.toSorted()).toEqual([...declared].toSorted())
  })

  it('are held to the one Lease in its own namespace, but for making it', () => {
    expect(leaseRules().map(({ resourceNames = ['any'], verbs }) => [...resourceNames, ...verbs])).toEqual([
      ['appstead', 'get', 'watch', 'patch'],
      ['any', 'create'],
    ])
    expect(given.filter((right) => right.includes(' leases '))).toEqual([])
    expect(printRules(leaseRules())).toContain('    resources: [leases]\n    resourceNames: [appstead]\n    verbs:')
  })

  it('never let it change a Secret, write a role, or act as somebody else', () => {
    expect(given).not.toContain(' secrets patch')
    const powers = given.filter((right) => /rbac|impersonate|escalate|bind|token/.test(right))
    expect([...new Set(powers.map((right) => right.replace(/ \w+$/, '')))]).toEqual([
      'rbac.authorization.k8s.io rolebindings',
    ])
    expect(bindRules()).toMatchObject([
      {
        resourceNames: ['appstead-viewer', 'appstead-editor', 'appstead-admin'],
        resources: ['clusterroles'],
        verbs: ['bind'],
      },
    ])
  })

  it('let others have roles in which there is no wildcard, and of which only the last shows Secrets', () => {
    const [viewer = [], editor = [], admin = []] = accessRoles.map(allowed)
    expect([...viewer, ...editor, ...admin].filter((right) => right.includes('*'))).toEqual([])
    expect(viewer.filter((right) => !/^(get|list|watch) /.test(right) || /secrets|\//.test(right))).toEqual([])
    expect(editor.filter((right) => /secrets|create (?!pods\/)|update|patch/.test(right))).toEqual([])
    expect(editor).toEqual(expect.arrayContaining([...viewer, 'get pods/log', 'create pods/exec', 'delete pods']))
    expect(admin).toEqual(expect.arrayContaining([...editor, 'get secrets', 'patch deployments']))
    expect(admin.filter((right) => /namespaces|roles|rolebindings|appstead/.test(right))).toEqual([])
  })

  it('of people on our kinds are theirs alone: no wildcard, no status, no record, and part of no role of Kubernetes', () => {
    const [viewer = [], editor = [], admin = []] = projectRoles.map((role) => allowedBy(projectRulesOf(role)))
    expect([...viewer, ...editor, ...admin].filter((right) => /\*|\/status/.test(right))).toEqual([])
    expect(viewer.filter((right) => !/^(get|list|watch) /.test(right))).toEqual([])
    expect(admin.filter((right) => /^(create|update|patch|delete) app(releases|locks)/.test(right))).toEqual([])
    expect(editor).toEqual(expect.arrayContaining([...viewer, 'create appinstances', 'patch appinstances/scale']))
    expect(editor.filter((right) => /^(create|patch) appenvs/.test(right))).toEqual([])
    expect(admin).toEqual(expect.arrayContaining([...editor, 'create appenvs']))
    const template = readFileSync(
      new URL('../../../charts/appstead/templates/projectroles.yaml', import.meta.url),
      'utf8',
    )
    expect(template).not.toContain('aggregate')
  })

  it('never let it touch specs of users: of Apps and stacks only status and finalizers', () => {
    const written = given.filter((right) =>
      /^appstead.dev (appsteadapps|appstacks)(\/\w+)? (create|patch|delete)/.test(right),
    )
    expect(written.toSorted()).toEqual([
      // Their finalizers: they wait for those who use them.
      'appstead.dev appstacks patch',
      'appstead.dev appstacks/status patch',
      'appstead.dev appsteadapps patch',
      'appstead.dev appsteadapps/status patch',
    ])
  })

  it.each([
    ['a wildcard as resource', { ...thing, plural: '*' }, ['get']],
    ['a wildcard as group', { ...thing, group: '*' }, ['get']],
    ['a wildcard as verb', thing, ['*']],
    ['an unknown verb', thing, ['escalate']],
  ])('are refused: %s', (_what, type, verbs) => {
    expect(() => grantsOf({ informers: [], controllers: [], writes: [{ type, verbs }] })).toThrow(TypeError)
  })

  it('say what they are for', () => {
    const informer = { type: thing, labelSelector: 'g.dev/of', metadataOnly: true }
    const controller = { kind: thing, finalizer: 'g.dev/hold' }
    const printed = printRules(
      rulesOf(
        grantsOf({ informers: [informer], controllers: [controller], writes: [{ type: thing, verbs: ['get'] }] }),
      ),
    )
    expect(printed).toContain('# metadata watched where labelled g.dev/of, looked at live, finalizer g.dev/hold')
    expect(printed).toContain("  - apiGroups: ['g.dev']\n    resources: [things]\n    verbs: [get, list, watch, patch]")
  })
})
