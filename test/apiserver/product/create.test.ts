import { describe, expect, it } from '@jest/globals'
import { makePodsReady, rollOut } from '../../support/kubelet.ts'
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

describe('create', () => {
  it('makes everything an instance needs, and says at each step how it stands', async () => {
    const { hands, operator, namespace, instance } = world
    const more = { generatedSecrets: [{ name: 'SESSION_SECRET' }], files: [{ path: '/etc/motd', content: 'hi' }] }
    await create(world, { stack: [{ ...web, ...more }] })
    await operator.until('its pod is made', async () => (await hands.list('Pod', instance)).length === 1)
    await operator.settle()

    const created = await getInstance(world)
    expect(created['status'].phase).toBe('Deploying')
    expect(conditionsOf(created)).toEqual({
      Ready: 'Unknown RollingOut',
      Available: 'False NotServing',
      Accepted: 'True Accepted',
      Deployed: 'False RollingOut',
      ZeroDowntime: 'False SingleReplica',
      Reconciling: 'True RollingOut',
    })

    const owner = (await hands.get('Namespace', { namespace: '', name: instance })).metadata
    const project = await hands.get('Namespace', { namespace: '', name: namespace })
    expect(owner.annotations).toMatchObject({
      'appstead.dev/instance-uid': created.metadata.uid,
      'appstead.dev/project-uid': project.metadata.uid,
    })
    expect(owner.labels).toMatchObject({
      'appstead.dev/instance': instance,
      'appstead.dev/project': namespace,
      'pod-security.kubernetes.io/enforce': 'restricted',
    })
    const names = async (kind: string): Promise<string[]> =>
      (await hands.list(kind, instance)).map(({ metadata }) => metadata.name).toSorted()
    expect(await names('Deployment')).toEqual(['web'])
    expect(await names('Service')).toEqual(['web'])
    expect(await names('NetworkPolicy')).toEqual(['same-namespace', 'web-http'])
    expect(await names('PodDisruptionBudget')).toEqual([])
    expect(await names('Secret')).toEqual([expect.stringMatching(/^web-session-secret-[0-9a-f]{6}$/)])
    expect(await names('ConfigMap')).toEqual(['kube-root-ca.crt', expect.stringMatching(/^web-[0-9a-f]{8}$/)])
    const account = await hands.get('ServiceAccount', { namespace: instance, name: 'app' })
    expect(account['automountServiceAccountToken']).toBe(false)

    await rollOut(hands, operator, instance)
    const running = await getInstance(world)
    expect(running['status'].phase).toBe('Running')
    expect(conditionsOf(running)).toEqual({
      Ready: 'True AllReady',
      Available: 'True Serving',
      Accepted: 'True Accepted',
      Deployed: 'True RolledOut',
      ZeroDowntime: 'False SingleReplica',
    })
    expect(running['status'].observedGeneration).toBe(running.metadata.generation)
    expect(running['status'].deployedGeneration).toBe(running.metadata.generation)
    const releases = await releasesOf(world)
    expect(releases).toHaveLength(1)
    expect(conditionsOf(releases[0]!)).toEqual({ Succeeded: 'True RolledOut' })
    expect(await hands.columns('AppInstance', { namespace, name: instance })).toMatchObject({
      Name: instance,
      Env: 'dev',
      Phase: 'Running',
      Ready: 'True',
      Available: 'True',
      Replicas: '1/1',
      Rev: running['status'].stack.current,
      Release: '1',
      URL: `http://web.${instance}.svc:8080`,
    })
    expect(await hands.columns('App', { namespace, name: world.app })).toMatchObject({
      Instances: '1/1',
      Ready: 'True',
    })
  }, 30_000)

  it('comes to the same end when the instance is there before the App, and the App before its stack', async () => {
    const { hands, operator, namespace, instance, app } = world
    await hands.apply(makeInstance(world))
    await operator.settle()
    const alone = await getInstance(world)
    expect(alone['status'].phase).toBe('Pending')
    expect(conditionsOf(alone)).toMatchObject({ Ready: 'Unknown AppNotFound', Reconciling: 'True AppNotFound' })
    expect(messageOf(alone, 'Ready')).toBe(
      `No App '${app}' in namespace '${namespace}' (spec.app); see kubectl get appsteadapps -n ${namespace}`,
    )
    expect(await hands.find('Namespace', { namespace: '', name: instance })).toBeUndefined()

    await hands.apply(makeApp(world, 'shop'))
    await operator.settle()
    expect(messageOf(await getInstance(world), 'Ready')).toMatch(`o revision of the AppStack 'shop'`)
    expect(messageOf(await hands.get('App', { namespace, name: app }), 'Ready')).toMatch(`o AppStack 'shop'`)

    await hands.apply(makeStack(world, 'shop', [web]))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 1 } })
  }, 30_000)

  it('comes to the same end in whatever order instance, App and stack are applied', async () => {
    const { hands, operator } = world
    const orders = ['ISA', 'SIA', 'AIS', 'ASI', 'SAI'].map((order, index) => {
      const app = `${world.app}${index}`
      return { order, project: { namespace: world.namespace, app, instance: `${app}-dev` } }
    })
    for (const step of [0, 1, 2]) {
      for (const { order, project } of orders) {
        const made: Readonly<Record<string, () => object>> = {
          I: () => makeInstance(project),
          A: () => makeApp(project, `s-${project.app}`),
          S: () => makeStack(project, `s-${project.app}`, [web]),
        }
        await hands.apply(made[order[step]!]!())
      }
      await operator.settle()
    }
    for (const { project } of orders) await rollOut(hands, operator, project.instance)
    for (const { project } of orders) {
      const { status } = await getInstance({ ...world, ...project })
      expect(status).toMatchObject({ phase: 'Running', currentRelease: { number: 1 } })
      expect(status.stack.current).toMatch(`s-${project.app}-r1-`)
    }
  }, 60_000)

  it('counts the replicas of all services, and is Ready only when all are', async () => {
    const { hands, operator, instance } = world
    const jobs = { name: 'jobs', type: 'Worker', image: 'hello:1', replicas: 2 }
    await create(world, { stack: [web, jobs], spec: { replicas: 2 } })
    await operator.until('its pods are made', async () => (await hands.list('Pod', instance)).length === 4)
    await operator.settle()
    expect((await getInstance(world))['status'].counts).toEqual({
      total: 4,
      running: 0,
      pending: 4,
      failed: 0,
      summary: '0/4',
    })
    expect((await hands.list('PodDisruptionBudget', instance)).map(({ metadata }) => metadata.name)).toEqual([
      'jobs',
      'web',
    ])
    await makePodsReady(hands, instance)
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({
      phase: 'Running',
      counts: { summary: '4/4' },
      replicas: 2,
    })
  }, 30_000)
})

describe('what looks odd and is not bad', () => {
  it('a stack of Workers alone runs the first of them as the main service, and has no address', async () => {
    const { hands, instance, app, namespace } = world
    await createRunning(world, {
      stack: [
        { name: 'jobs', type: 'Worker' },
        { name: 'mails', type: 'Worker', from: 'jobs' },
      ],
      spec: { replicas: 2 },
    })
    const { status } = await getInstance(world)
    expect(status).toMatchObject({
      phase: 'Running',
      counts: { summary: '3/3' },
      services: [
        { name: 'jobs', ready: 2 },
        { name: 'mails', ready: 1 },
      ],
    })
    expect(status.url).toBeUndefined()
    expect(await hands.list('Service', instance)).toEqual([])
    const { spec } = await hands.get('Deployment', { namespace: instance, name: 'jobs' })
    const names = (spec.template.spec.containers[0].env as { name: string }[]).map(({ name }) => name)
    expect(names).not.toContain('APPSTEAD_URL')
    expect(await hands.columns('AppInstance', { namespace, name: `${app}-dev` })).toMatchObject({ URL: null })
  }, 30_000)

  it('an App with services of its own and an AppStack of its name have revisions of their own', async () => {
    const { hands, operator, namespace, app } = world
    await hands.apply(makeStack(world, app, [web, { ...web, name: 'api', image: 'api:1' }]))
    await createRunning(world)
    await hands.apply(makeStack(world, app, [web, { ...web, name: 'api', image: 'api:2' }]))
    await operator.settle()
    const names = (await hands.list('AppStackRevision', namespace)).map(({ metadata }) => metadata.name)
    const rest = `${app}-r[12]-[0-9a-f]{6}$`
    expect(names.filter((name) => new RegExp(`^${rest}`).test(name))).toHaveLength(2)
    expect(names.filter((name) => new RegExp(`^app-${rest}`).test(name))).toHaveLength(1)
    const { status } = await getInstance(world)
    expect(status).toMatchObject({ phase: 'Running', stack: { outdated: false }, services: [{ name: 'web' }] })
    expect(status.services).toHaveLength(1)
    const refused = await hands.tryApply(makeStack(world, `app-${app}`, [web]))
    expect(refused.status).toBe(422)
  }, 30_000)
})
