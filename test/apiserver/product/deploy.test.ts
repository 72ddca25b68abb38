import { describe, expect, it } from '@jest/globals'
import { apiVersion } from '../../../operator/api/meta.ts'
import { rollOut } from '../../support/kubelet.ts'
import {
  childWrites,
  conditionsOf,
  createRunning,
  getInstance,
  makeInstance,
  messageOf,
  releasesOf,
  useWorld,
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
      `services[web].image hello:1 → hello:2: waits until it is asked for (spec.deploy.trigger is Manual); now: kubectl annotate appinstance ${instance} -n ${namespace} appstead.dev/deploy=release-2 --overwrite`,
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
