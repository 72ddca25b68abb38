import { describe, expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import {
  conditionsOf,
  create,
  createRunning,
  getInstance,
  makeApp,
  makeInstance,
  makeStack,
  messageOf,
  releasesOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

describe('a reference to nothing', () => {
  it('to a stack, a revision or an environment is waited for, and named with what there is', async () => {
    const { hands, operator, app, namespace } = world
    await create(world, { spec: { env: 'nowhere' } })
    const noEnv = await getInstance(world)
    expect(noEnv['status'].phase).toBe('Pending')
    expect(conditionsOf(noEnv)).toMatchObject({
      Accepted: 'True Accepted',
      Ready: 'Unknown EnvNotFound',
      Reconciling: 'True EnvNotFound',
    })
    expect(messageOf(noEnv, 'Ready')).toMatch(/o AppEnv 'nowhere' \(spec\.env\).*kubectl get appenvs/)

    const pinned = { ...world, instance: `${app}-pinned` }
    await hands.apply(makeInstance(pinned, { stack: { revision: 'shop-r9-abcdef' } }))
    await operator.settle()
    const noRevision = await getInstance(pinned)
    const { latestRevision } = (await hands.get('App', { namespace, name: app }))['status']
    expect(conditionsOf(noRevision)).toMatchObject({ Ready: 'Unknown RevisionNotFound' })
    expect(messageOf(noRevision, 'Ready')).toContain("AppStackRevision 'shop-r9-abcdef'")
    expect(messageOf(noRevision, 'Ready')).toContain('spec.stack.revision')
    expect(messageOf(noRevision, 'Ready')).toContain(
      `to move to the newest: kubectl patch appinstance ${pinned.instance} -n ${namespace} --type=merge -p '{"spec":{"stack":{"revision":"${latestRevision}"}}}'`,
    )
    expect(await hands.find('Namespace', { namespace: '', name: pinned.instance })).toBeUndefined()
  }, 30_000)

  it('that is misspelt is named with what was meant', async () => {
    const { hands, operator, app, instance } = world
    await hands.apply(makeApp(world))
    const spelling = async (spec: object, about = world): Promise<string> => {
      await hands.apply(makeInstance(about, spec))
      await operator.settle()
      return messageOf(await getInstance(about), 'Ready')
    }
    const misspelt = { ...world, app: `${app}s`, instance: `${app}s-dev` }
    expect(await spelling({}, misspelt)).toContain(`No App '${app}s'`)
    expect(await spelling({}, misspelt)).toContain(
      `(spec.app); there is '${app}'; see kubectl get appsteadapps -n ${world.namespace}`,
    )
    expect(await spelling({ env: 'devv' })).toContain(`No AppEnv 'devv' (spec.env); there is 'dev'`)
    const { latestRevision = '' } = (await hands.get('App', { namespace: world.namespace, name: app }))['status']
    const second = { ...world, instance: instance.replace('dev', 'two') }
    const pin = { stack: { revision: latestRevision.slice(0, -1) } }
    expect(await spelling(pin, second)).toContain(`(spec.stack.revision); there is '${latestRevision}'; to move`)
    const named = { ...world, app: `${app}b`, instance: `${app}b-dev` }
    await hands.apply(makeStack(world, 'shop', [web]))
    await hands.apply(makeApp(named, 'shopp'))
    expect(await spelling({}, named)).toContain(
      `No revision of the AppStack 'shopp' in namespace '${world.namespace}', which App '${app}b' names (spec.stack.name); there is 'shop'; see kubectl get appstacks -n ${world.namespace}`,
    )
  }, 30_000)

  it('that appears later is found, also when it is of another stack', async () => {
    const { hands, operator, app } = world
    await create(world, { spec: { stack: { revision: 'other-r1-abcdef' } } })
    expect(conditionsOf(await getInstance(world))).toMatchObject({ Ready: 'Unknown RevisionNotFound' })
    const metadata = { namespace: world.namespace, name: 'other-r1-abcdef' }
    await hands.apply({
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'AppStackRevision',
      metadata,
      spec: { stack: 'other', number: 1, services: [web] },
    })
    await operator.settle()
    const wrong = await getInstance(world)
    expect(wrong['status'].phase).toBe('Invalid')
    expect(conditionsOf(wrong)).toMatchObject({
      Accepted: 'False RevisionOfOtherStack',
      Stalled: 'True RevisionOfOtherStack',
    })
    const move = 'to move to its newest revision: kubectl patch appinstance '
    for (const part of ['spec.stack.revision', "'other-r1-abcdef'", "stack 'other'", `'app-${app}'`, move]) {
      expect(messageOf(wrong, 'Accepted')).toContain(part)
    }
  }, 30_000)

  it('in a spec that was good before leaves what ran alone', async () => {
    const { hands, operator, instance } = world
    const ofApp = async (): Promise<unknown> => {
      await operator.settle()
      return (await hands.get('App', { namespace: world.namespace, name: world.app }))['status'].instances
    }
    await createRunning(world)
    expect(await ofApp()).toEqual({ total: 1, ready: 1, summary: '1/1', phases: [{ phase: 'Running', count: 1 }] })
    await hands.apply(makeInstance(world, { stack: { revision: 'shop-r9-abcdef' }, image: 'hello:2' }))
    expect(await ofApp()).toEqual({
      total: 1,
      ready: 0,
      summary: '0/1',
      phases: [{ phase: 'Degraded', count: 1 }],
      attention: [{ name: instance, env: 'dev', phase: 'Degraded', reason: 'RevisionNotFound' }],
    })
    const waiting = await getInstance(world)
    expect(waiting['status'].phase).toBe('Degraded')
    expect(conditionsOf(waiting)).toMatchObject({ Available: 'True Serving', Ready: 'False RevisionNotFound' })
    expect(await releasesOf(world)).toHaveLength(1)
    // It is still repaired.
    await hands.remove('Service', { namespace: instance, name: 'web' })
    await operator.until('it is repaired', async () => (await hands.list('Service', instance)).length === 1)
  }, 30_000)
})

describe('a spec that only other objects can refute', () => {
  it.each<[string, object[], object, string, string[]]>([
    [
      'no image anywhere',
      [web],
      { image: undefined },
      'ImageMissing',
      ["ervice 'web'", 'spec.image of the AppInstance', 'services[0].image'],
    ],
    [
      'no image of another service',
      [web, { name: 'jobs', type: 'Worker' }],
      {},
      'ImageMissing',
      ["ervice 'jobs'", 'services[1].image'],
    ],
    [
      'replicas of the main service',
      [{ ...web, replicas: 4 }],
      {},
      'MainReplicasInStack',
      ['services[0].replicas is 4', 'spec.replicas of the AppInstance'],
    ],
    [
      'an override of no service',
      [web],
      { services: [{ name: 'wep', replicas: 2 }] },
      'ServiceNotFound',
      ['spec.services[wep] is an override of no service', "did you mean 'web'?"],
    ],
    [
      'the image of the main service among the overrides',
      [web],
      { services: [{ name: 'web', image: 'hello:2' }] },
      'MainServiceOverridden',
      ["spec.services[web].image is 'hello:2'", "'web' is the main service", 'write it to spec.image'],
    ],
    [
      'the main service disabled',
      [web],
      { services: [{ name: 'web', enabled: false }] },
      'MainServiceOverridden',
      ['spec.services[web].enabled is false', 'remove it'],
    ],
    [
      'a service disabled that another one needs',
      [
        { ...web, name: 'db', image: 'db:1' },
        { ...web, main: true, dependsOn: ['db'] },
      ],
      { services: [{ name: 'db', enabled: false }] },
      'ServiceDisabled',
      ['spec.services[db].enabled is false', "service 'web' needs 'db' (services[1].dependsOn of the stack)"],
    ],
    [
      'amounts that do not fit together',
      [{ ...web, resources: { limits: { memory: '128Mi' } } }],
      { services: [{ name: 'web', resources: { requests: { memory: '1Gi' } } }] },
      'RequestAboveLimit',
      ['spec.services[web].resources', "requests.memory '1Gi' is larger than limits.memory '128Mi'"],
    ],
    [
      'a roll-out that leaves no replica ready',
      [{ ...web, rollout: { maxUnavailable: 2 } }],
      { replicas: 2 },
      'NoReplicaLeft',
      [
        'services[0].rollout.maxUnavailable is 2',
        "'web' has 2 replicas",
        'set it to at most 1, or raise spec.replicas',
      ],
    ],
  ])(
    '%s is Invalid: field, value, what would be right',
    async (_, services, spec, reason, parts) => {
      await create(world, { stack: services, spec })
      const invalid = await getInstance(world)
      expect(invalid['status'].phase).toBe('Invalid')
      expect(conditionsOf(invalid)).toMatchObject({
        Accepted: `False ${reason}`,
        Ready: `False ${reason}`,
        Stalled: `True ${reason}`,
      })
      for (const part of parts) expect(messageOf(invalid, 'Accepted')).toContain(part)
    },
    30_000,
  )

  it('a release larger than 256 KB is refused with its size', async () => {
    const variables = Array.from({ length: 34 }, (_, index) => ({ name: `V${index}`, value: '€'.repeat(2700) }))
    await create(world, { spec: { variables } })
    const tooLarge = await getInstance(world)
    expect(conditionsOf(tooLarge)).toMatchObject({ Accepted: 'False ReleaseTooLarge' })
    expect(messageOf(tooLarge, 'Accepted')).toMatch(/take \d+ bytes; at most 262144/)
  }, 30_000)
})

describe('what the cluster refuses', () => {
  it('by an admission policy is said with the object and the reason, and goes on when it is lifted', async () => {
    const { hands, operator, app, instance, namespace } = world
    const api = 'admissionregistration.k8s.io/v1'
    const metadata = { name: `no-${app}` }
    await hands.apply({
      apiVersion: api,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] },
          ],
        },
        validations: [
          {
            expression: `!(object.metadata.namespace in ['${instance}', '${namespace}'])`,
            message: 'deployments need a cost centre',
          },
        ],
      },
    })
    const binding = {
      apiVersion: api,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    }
    await hands.apply(binding)
    const probe = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name: 'probe' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
      },
    }
    await operator.until('the policy is in force', async () => {
      const reply = await hands.admin({
        method: 'POST',
        path: `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`,
        body: probe,
      })
      return JSON.stringify(reply.body).includes('cost centre')
    })
    await create(world)
    const refused = await getInstance(world)
    expect(conditionsOf(refused)['Ready']).toBe('Unknown Forbidden')
    for (const part of ["Deployment 'web'", 'deployments need a cost centre', metadata.name]) {
      expect(messageOf(refused, 'Ready')).toContain(part)
    }
    await hands.remove('ValidatingAdmissionPolicyBinding', { namespace: '', name: metadata.name })
    await operator.until('the policy is out of force', async () => {
      const reply = await hands.admin({
        method: 'POST',
        path: `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`,
        body: probe,
      })
      return !JSON.stringify(reply.body).includes('cost centre')
    })
    // What a policy refused is sent again after half a minute.
    const isThere = async (): Promise<boolean> => (await hands.list('Deployment', instance)).length === 1
    await operator.until('the Deployment is made', isThere, 60)
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status'].phase).toBe('Running')
  }, 120_000)

  it('of the pods, by a quota, is said with the numbers', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    await hands.apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { namespace: instance, name: 'one-pod' },
      spec: { hard: { pods: '1' } },
    })
    await operator.until('the quota is in force', async () => {
      const quota = await hands.get('ResourceQuota', { namespace: instance, name: 'one-pod' })
      return quota['status']?.used?.pods === '1'
    })
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    await operator.until('the quota is named', async () =>
      messageOf(await getInstance(world), 'Ready').includes('exceeded quota: one-pod'),
    )
    const short = await getInstance(world)
    expect(conditionsOf(short)).toMatchObject({ Available: 'True Serving', Reconciling: 'True Forbidden' })
    expect(messageOf(short, 'Ready')).toContain('requested: pods=1, used: pods=1, limited: pods=1')
  }, 30_000)
})
