import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { load } from 'js-yaml'
import type { AppInstancePhase } from '../../../operator/api/appInstance.ts'
import { annotations, group } from '../../../operator/api/meta.ts'
import { operations, type State } from '../../../operator/api/operations.ts'
import { conditionsOf, type Verdicts } from '../../../operator/status/conditions.ts'
import { publishedVerdicts, revisionTakenVerdicts, stackMissingVerdicts } from '../../../operator/status/published.ts'
import { readRecorded, recordedNames, type Recorded } from '../../phases/recorded.ts'
import { kstatusOf } from '../../support/genericTools.ts'
import { rowOf } from '../../support/phaseTable.ts'
import { verdictsOf, type Verdict } from '../../support/verdicts.ts'

/** The phase table as the tools themselves see it: with the files of integrations/ that a user gives them. */

const integrations = new URL('../../../integrations/', import.meta.url)
const readYaml = (path: string): unknown => load(readFileSync(new URL(path, integrations), 'utf8'))
const { data: argocd } = readYaml('argocd/argocd-cm.yaml') as { data: Record<string, string> }
const { healthCheckExprs: flux } = readYaml('flux/health-check-exprs.yaml') as { healthCheckExprs: object[] }

const names = recordedNames()
const instances = new Map(names.map((name) => [name, readRecorded(name)]))

/** An object of another kind with the conditions that a report gives it; generation 2. */
const other = (kind: string, verdicts: Verdicts, observedGeneration = 2): object => ({
  apiVersion: `${group}/v1alpha1`,
  kind,
  metadata: { name: kind.toLowerCase(), namespace: 'shop', generation: 2 },
  spec: {},
  status: { observedGeneration, conditions: conditionsOf(undefined, verdicts, observedGeneration, new Date(0)) },
})
const succeeded = (status: 'True' | 'False' | 'Unknown', reason: 'Completed' | 'Superseded' | 'ActionFailed') => ({
  Succeeded: { status, reason, message: 'as it went' },
})

/** What Argo CD and Flux have to say of the other kinds. */
const others: Readonly<Record<string, readonly [object: object, argocd: string, flux: string]>> = {
  'an App that is published': [other('App', publishedVerdicts('shop-r1')), 'Healthy', ''],
  'an App whose stack is missing': [other('App', stackMissingVerdicts('no stack')), 'Progressing', ''],
  'an AppStack whose version is taken': [other('AppStack', revisionTakenVerdicts('taken')), 'Degraded', ''],
  'an AppStack of which an edit was not seen yet': [
    other('AppStack', publishedVerdicts('shop-r1'), 1),
    'Progressing',
    '',
  ],
  'an AppStack that nobody has looked at': [
    { ...other('AppStack', {}), status: { observedGeneration: -1 } },
    'Progressing',
    '',
  ],
  'an AppEnv, which says nothing while all is well': [{ ...other('AppEnv', {}), status: undefined }, 'Healthy', ''],
  'an AppTask under way': [other('AppTask', succeeded('Unknown', 'Completed')), 'Progressing', 'InProgress'],
  'an AppTask that succeeded': [other('AppTask', succeeded('True', 'Completed')), 'Healthy', 'Current'],
  'an AppTask that failed': [other('AppTask', succeeded('False', 'ActionFailed')), 'Degraded', 'Failed'],
  'an AppRelease that failed': [other('AppRelease', succeeded('False', 'ActionFailed')), 'Degraded', ''],
  'an AppRelease that a newer one replaced': [other('AppRelease', succeeded('False', 'Superseded')), 'Healthy', ''],
}

const verdicts = new Map<string, Verdict>()

// The first time on a machine the tool is built, which takes minutes.
beforeAll(async () => {
  const objects = [...instances.values(), ...Object.values(others).map(([object]) => object)]
  const told = await verdictsOf({ argocd, flux, objects })
  for (const [index, name] of [...names, ...Object.keys(others)].entries()) verdicts.set(name, told[index]!)
}, 900_000)

const messageOf = ({ status }: Recorded, type: string): string | undefined =>
  status.conditions?.find((condition) => condition.type === type)?.message

describe.each([...instances])('an instance that is %s', (name, instance) => {
  const row = rowOf(instance)
  const isGoing = instance.metadata.deletionTimestamp !== undefined

  it('is to Argo CD what the table says, in the words of its conditions', () => {
    const { status, message } = verdicts.get(name)!.argocd
    expect(status).toBe(isGoing ? 'Progressing' : (row?.argocd ?? 'Progressing'))
    const ready = messageOf(instance, 'Ready') ?? 'Generation 1 waits for the operator.'
    expect(message).toBe(
      isGoing ? 'Pending deletion' : status === 'Healthy' ? (messageOf(instance, 'ChangesPending') ?? ready) : ready,
    )
  })

  it('is to kstatus what our own reading of its rules says', () => {
    expect(verdicts.get(name)!.kstatus.status).toBe(kstatusOf(instance))
  })

  it('fails for Flux, with our expressions, as soon as it is not as declared', () => {
    const byReady = { True: 'Current', False: 'Failed', Unknown: 'InProgress', any: 'none' }
    expect(verdicts.get(name)!.flux).toBe(byReady[row?.Ready ?? 'Unknown'])
  })

  it("offers in Argo CD's menu what the table of operations allows", () => {
    const { deploy, restart, retry } = verdicts.get(name)!.actions
    const state = stateOf(instance.status.phase)
    const isWork = state !== undefined && operations.NewWork.verdicts[state] === 'no'
    expect([deploy?.disabled, restart?.disabled]).toEqual([isWork, isWork])
    expect(retry?.disabled).toBe(state !== 'Errored')
  })
})

function stateOf(phase: AppInstancePhase | undefined): State | undefined {
  if (phase === 'Pending' || phase === 'Creating') return 'Creating'
  return phase === 'Errored' || phase === 'Suspended' || phase === 'Deleting' ? phase : undefined
}

describe("an action of Argo CD's menu", () => {
  it.each([
    ['deploy', annotations.deploy],
    ['restart', annotations.restart],
    ['retry', annotations.retry],
  ])('%s sets its annotation, and changes nothing else', (action, annotation) => {
    const running = instances.get('running')!
    const { metadata, ...rest } = verdicts.get('running')!.actions[action]!.result as unknown as Recorded
    expect(rest).toEqual({ ...running, metadata: undefined })
    expect(metadata).toEqual({
      ...running.metadata,
      annotations: { [annotation]: expect.stringMatching(/^argocd-\d{8}T\d{6}Z$/) },
    })
  })

  it('says why it cannot be asked for', () => {
    const shown = ['running', 'errored-creation', 'deleting', 'suspended'].map(
      (name) => verdicts.get(name)!.actions['deploy']!.displayName,
    )
    expect(shown).toEqual([
      'Deploy',
      'Deploy (it is Errored: retry, or delete it)',
      'Deploy (it is being deleted)',
      'Deploy (it is suspended)',
    ])
  })
})

it.each(Object.entries(others))('%s', (name, [, argocdSays, fluxSays]) => {
  const { argocd: health, flux: checked, actions } = verdicts.get(name)!
  expect([health.status, checked, Object.keys(actions)]).toEqual([argocdSays, fluxSays, []])
})
