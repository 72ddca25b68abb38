import { describe, expect, it } from '@jest/globals'
import { apiVersion } from '../../../operator/api/meta.ts'
import { rollOut } from '../../support/kubelet.ts'
import {
  childWrites,
  conditionsOf,
  createRunning,
  getInstance,
  makeInstance,
  makeStack,
  messageOf,
  releasesOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

const annotate = (annotations: Readonly<Record<string, string | null>>): Promise<unknown> =>
  world.hands.patch('AppInstance', { namespace: world.namespace, name: world.instance }, { metadata: { annotations } })

const causes = async (): Promise<readonly string[]> => (await releasesOf(world)).map(({ spec }) => spec['cause'])

describe('an instance that is deployed by hand', () => {
  it('says what waits and the command, deploys when asked, once, and restarts what runs', async () => {
    const { hands, operator, namespace, instance } = world
    const spec = { deploy: { trigger: 'Manual' } }
    await createRunning(world, { spec })
    await hands.apply(makeInstance(world, { ...spec, image: 'hello:2' }))
    await operator.settle()
    expect(childWrites(world)).toEqual([])
    const waiting = await getInstance(world)
    expect(conditionsOf(waiting)).toMatchObject({ Ready: 'True AllReady', ChangesPending: 'True WaitsForTrigger' })
    expect(messageOf(waiting, 'ChangesPending')).toBe(
      `services[web].image hello:1 → hello:2 (Restart): waits until it is asked for (spec.deploy.trigger is Manual); now: kubectl annotate appinstance ${instance} -n ${namespace} appstead.dev/deploy=release-2 --overwrite`,
    )
    expect(waiting['status'].imageSummary).toBe('hello:1 (wanted: hello:2)')

    await annotate({ 'appstead.dev/deploy': 'release day' })
    await operator.settle()
    await rollOut(hands, operator, instance)
    const deployed = await getInstance(world)
    expect(deployed['status']).toMatchObject({
      phase: 'Running',
      deployedGeneration: 2,
      currentRelease: { number: 2, image: 'hello:2' },
      requests: { deploy: 'release day' },
    })

    const before = (await hands.list('Pod', instance)).map(({ metadata }) => metadata.name)
    await world.whileDown(() =>
      annotate({ 'appstead.dev/deploy': null, 'appstead.dev/restart': 'it leaks', 'appstead.dev/other': 'x' }),
    )
    await world.operator.settle()
    await rollOut(hands, world.operator, instance)
    const after = (await hands.list('Pod', instance)).map(({ metadata }) => metadata.name)
    expect(after.filter((name) => before.includes(name))).toEqual([])
    await world.whileDown(() => annotate({ 'appstead.dev/deploy': 'release day', 'appstead.dev/restart': null }))
    await world.operator.settle()
    const restarted = await getInstance(world)
    expect(restarted['status']).toMatchObject({
      phase: 'Running',
      currentRelease: { number: 3, image: 'hello:2' },
      requests: { deploy: 'release day', restart: 'it leaks' },
    })
    expect(await causes()).toEqual([
      'instance created',
      expect.stringMatching(/^deploy: release day; services\[web\]\.image/),
      'restart: it leaks',
    ])

    // The command that is told works each time.
    for (const number of [4, 5]) {
      await hands.apply(makeInstance(world, { ...spec, image: `hello:${number}` }))
      await world.operator.settle()
      const command = /appstead\.dev\/deploy=(\S+) --overwrite$/.exec(
        messageOf(await getInstance(world), 'ChangesPending'),
      )
      await annotate({ 'appstead.dev/deploy': command?.[1] ?? null })
      await world.operator.settle()
      await rollOut(hands, world.operator, instance)
      const { status } = await getInstance(world)
      expect(status.currentRelease).toMatchObject({ number, image: `hello:${number}` })
    }
  }, 60_000)
})

describe('another revision, deployed by hand', () => {
  it('is planned with what it changes, up and down, and told as pending alone', async () => {
    const { hands, operator, instance } = world
    const versioned = (version: string, value: string): object => {
      const stack = makeStack(world, 'shop', [{ ...web, variables: [{ name: 'V', value }] }]) as { spec: object }
      return { ...stack, spec: { ...stack.spec, version } }
    }
    const spec = { deploy: { trigger: 'Manual' } }
    await hands.apply(versioned('1.0', 'a'))
    await createRunning(world, { stack: 'shop', spec })
    await hands.apply(versioned('1.1', 'b'))
    await operator.settle()
    expect(messageOf(await getInstance(world), 'Ready')).toContain('The stack is at revision shop-1.1; to move to it: ')

    for (const [number, { to, was, is }] of [
      { to: 'shop-1.1', was: 'a', is: 'b' },
      { to: 'shop-1.0', was: 'b', is: 'a' },
    ].entries()) {
      await hands.apply(makeInstance(world, { ...spec, stack: { revision: to } }))
      await operator.settle()
      const planned = await getInstance(world)
      expect(planned['status'].pendingChanges).toEqual([
        expect.objectContaining({ path: 'stack.revision', to, source: `AppInstance/${instance}`, effect: 'None' }),
        expect.objectContaining({ path: 'services[web].variables[V]', from: was, to: is, effect: 'Restart' }),
      ])
      // The command that is told is that of what is asked for, and does something.
      expect(messageOf(planned, 'Ready')).not.toContain('to move to it')
      await annotate({ 'appstead.dev/deploy': `to ${to}` })
      await operator.settle()
      await rollOut(hands, operator, instance)
      const { status } = await getInstance(world)
      expect(status).toMatchObject({ phase: 'Running', stack: { current: to }, currentRelease: { number: number + 2 } })
      expect(status.pendingChanges).toBeUndefined()
    }
  }, 60_000)
})

describe('the defaults of an AppEnv', () => {
  it('say when its instances deploy, those that say nothing themselves, and take effect at once', async () => {
    const { hands, operator, app } = world
    const env = (deploy?: object): object => ({
      apiVersion,
      kind: 'AppEnv',
      metadata: { name: app },
      spec: { type: 'staging', ...(deploy && { defaults: { deploy } }) },
    })
    const bold = { ...world, instance: `${app}-bold` }
    const own = { deploy: { trigger: 'Automatic' } }
    await hands.apply(env({ trigger: 'Manual', replicaChanges: 'Immediate' }))
    await createRunning(world, { spec: { env: app } })
    await hands.apply(makeInstance(bold, { env: app, ...own }))
    for (const each of [{ of: world }, { of: bold, more: own }])
      await hands.apply(makeInstance(each.of, { env: app, image: 'hello:2', replicas: 2, ...each.more }))
    await operator.settle()
    const waiting = await getInstance(world)
    expect(messageOf(waiting, 'ChangesPending')).toContain(
      `(spec.defaults.deploy.trigger of AppEnv '${app}' is Manual); now: kubectl annotate`,
    )
    expect(waiting['status'].pendingSummary).toBe('services[web].image')
    expect((await hands.get('Deployment', { namespace: world.instance, name: 'web' }))['spec'].replicas).toBe(2)
    expect((await getInstance(bold))['status'].currentRelease.image).toBe('hello:2')
    const rules = { replicaChanges: 'Immediate', onSecretChange: 'NextDeployment' }
    const effective = { envType: 'staging', autoUpgrade: false }
    expect(waiting['status'].effective).toMatchObject({ ...effective, deploy: { trigger: 'Manual', ...rules } })
    expect((await getInstance(bold))['status'].effective.deploy).toEqual({ trigger: 'Automatic', ...rules })

    await hands.apply(env())
    await operator.settle()
    expect((await getInstance(world))['status'].currentRelease.image).toBe('hello:2')
  }, 60_000)
})
