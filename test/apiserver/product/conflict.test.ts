import { describe, expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import { makeProject } from '../../support/productCluster.ts'
import {
  childWrites,
  conditionsOf,
  create,
  createRunning,
  getInstance,
  makeApp,
  makeInstance,
  messageOf,
  releasesOf,
  useWorld,
  type World,
} from './world.ts'

const world = useWorld()

/** As the message of an Errored instance says. */
async function retry({ hands, namespace, instance }: World, cause: string): Promise<void> {
  const annotations = { 'appstead.dev/retry': cause }
  await hands.patch('AppInstance', { namespace, name: instance }, { metadata: { annotations } })
}

const namespaceOf = (name: string) => world.hands.get('Namespace', { namespace: '', name })

describe('a namespace of somebody else', () => {
  it('makes the instance Errored and is not touched, also when the instance is deleted', async () => {
    const { hands, operator, namespace } = world
    const cert = {
      ...world,
      app: world.app.replace('hello', 'cert'),
      instance: world.instance.replace(/^hello(.*)-dev$/, 'cert$1-manager'),
    }
    await hands.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: cert.instance, labels: { team: 'security' } },
    })
    await hands.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: cert.instance, name: 'theirs' },
      data: { a: 'b' },
    })
    await operator.until('it is complete', async () => (await hands.list('ConfigMap', cert.instance)).length === 2)
    const before = await namespaceOf(cert.instance)
    const theirs = await hands.list('ConfigMap', cert.instance)

    await hands.apply(makeApp(cert))
    await hands.apply(makeInstance(cert))
    await operator.settle()
    const ref = { namespace, name: cert.instance }
    const errored = await getInstance(cert)
    const message = `Namespace '${cert.instance}' belongs to someone else and is not touched`
    expect(errored['status'].phase).toBe('Errored')
    expect(conditionsOf(errored)).toMatchObject({
      Accepted: 'True Accepted',
      Ready: 'False NamespaceConflict',
      Stalled: 'True NamespaceConflict',
      OperationsBlocked: 'True NamespaceConflict',
      Available: 'False NotServing',
    })
    expect(conditionsOf(errored)['Reconciling']).toBeUndefined()
    expect(messageOf(errored, 'Stalled')).toContain(`: ${message}. `)
    expect(messageOf(errored, 'Stalled')).toContain(`To see more: kubectl describe namespace ${cert.instance}; to try`)
    expect(errored['status'].error).toMatchObject({
      class: 'Creation',
      reason: 'NamespaceConflict',
      failedStep: 'namespace',
      nextSteps: [
        `kubectl annotate appinstance ${cert.instance} -n ${namespace} --overwrite appstead.dev/retry=attempt-2`,
        `kubectl delete appinstance ${cert.instance} -n ${namespace}`,
      ],
    })
    expect(errored['status'].namespace).toBeUndefined()
    expect(await hands.columns('AppInstance', ref)).toMatchObject({
      Phase: 'Errored',
      Ready: 'False',
      Reason: 'NamespaceConflict',
    })
    const notes = (await hands.list('Event', namespace)).map((event) => `${event['type']} ${event['reason']}`)
    expect(notes).toContain('Warning NamespaceConflict')
    expect(await releasesOf(cert)).toEqual([])
    expect(childWrites(world)).toEqual([])
    const reason = 'NamespaceConflict'
    const blocked = ['ChangeConfiguration', 'NewWork', 'Shell'].map((operation) => ({ operation, reason }))
    expect(errored['status'].blocked).toEqual(blocked.map((each) => expect.objectContaining(each)))
    const lock = { namespace, name: 'locks' }
    const { uid } = errored.metadata
    expect((await hands.get('AppLock', lock))['spec'].locked).toEqual([
      { name: cert.instance, uid, class: 'Creation', reason, since: expect.any(String) },
    ])

    await hands.remove('AppInstance', ref)
    await operator.until('the instance is gone', async () => (await hands.find('AppInstance', ref)) === undefined)
    await operator.settle()
    expect(childWrites(world)).toEqual([])
    expect(await hands.find('AppLock', lock)).toBeUndefined()
    expect(await namespaceOf(cert.instance)).toEqual(before)
    expect(await hands.list('ConfigMap', cert.instance)).toEqual(theirs)
  }, 30_000)

  it.each([
    // As when the project was made anew so shortly before the instance that its first uid was still in view.
    ['another uid of the project', 'appstead.dev/project-uid', 'stale'],
    ['no cluster', 'appstead.dev/hub-uid', null],
  ])(
    'is none that records %s, but this very instance: the record is mended',
    async (_, key, value) => {
      const { hands, operator, instance } = world
      await hands.apply(makeApp(world))
      await hands.apply(makeInstance(world))
      await operator.settle()
      await rollOut(hands, operator, instance)
      const { metadata } = await namespaceOf(instance)
      const asOperator = hands.as({ user: world.operatorUser })
      const ref = { namespace: '', name: instance }
      await asOperator.patch('Namespace', ref, { metadata: { annotations: { [key]: value } } })
      await operator.settle()
      expect((await namespaceOf(instance)).metadata.annotations).toEqual(metadata.annotations)
      expect((await getInstance(world))['status'].phase).toBe('Running')
    },
    30_000,
  )

  it('of the instance of another project with the same name names its holder', async () => {
    const { hands, operator, instance } = world
    const app = world.app
    await createRunning(world)
    const before = await namespaceOf(instance)

    // App `a` with instance `b-c`, and App `a-b` with instance `c`, are the same name of a namespace.
    const other = await makeProject(hands)
    const shorter = { ...world, ...other, app: app.slice(0, 5), instance }
    const splitting = { ...shorter, app }
    await hands.apply(makeApp(splitting))
    await hands.apply(makeInstance(splitting))
    await operator.settle()
    const errored = await getInstance({ ...world, namespace: other.namespace })
    expect(errored['status'].phase).toBe('Errored')
    expect(messageOf(errored, 'Stalled')).toContain(
      `belongs to the AppInstance '${instance}' of project '${world.namespace}'`,
    )
    expect(messageOf(errored, 'Stalled')).toContain(`kubectl describe appinstance ${instance} -n ${world.namespace};`)
    const ref = { namespace: other.namespace, name: instance }
    await hands.remove('AppInstance', ref)
    await operator.until('the newcomer is gone', async () => (await hands.find('AppInstance', ref)) === undefined)
    await operator.settle()
    expect(childWrites(world)).toEqual([])
    expect(await namespaceOf(instance)).toEqual(before)
    expect((await getInstance(world))['status'].phase).toBe('Running')
  }, 30_000)

  it('of the App `a-b` with instance `a-b-c` is not that of App `a` with instance `a-b-c` in another project', async () => {
    const { hands, operator } = world
    const other = await makeProject(hands)
    const id = world.app
    const first = { ...world, app: `${id}-b`, instance: `${id}-b-c` }
    const second = { ...world, namespace: other.namespace, app: id, instance: `${id}-b-c` }
    for (const each of [first, second]) {
      await hands.apply(makeApp(each))
      await hands.apply(makeInstance(each))
      await operator.settle()
    }
    expect((await getInstance(first))['status'].phase).toBe('Deploying')
    expect((await getInstance(second))['status'].phase).toBe('Errored')
    const holder = await namespaceOf(first.instance)
    expect(holder.metadata.labels).toMatchObject({
      'appstead.dev/project': first.namespace,
      'appstead.dev/app': first.app,
    })
    // In one project the second is refused by the name of the object itself.
    const third = { ...world, app: id, instance: `${id}-b-c` }
    await hands.apply(makeApp(third))
    const { status, body } = await hands.tryApply(makeInstance(third))
    expect(status).toBe(422)
    expect(JSON.stringify(body)).toContain('spec.app')
  }, 30_000)

  it('that goes away lets the instance be created when somebody asks for it, and not before', async () => {
    const { hands, operator, instance, namespace } = world
    await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: instance } })
    await create(world)
    const errored = await getInstance(world)
    expect(errored['status'].phase).toBe('Errored')
    const { error } = errored['status']
    const task = await hands.get('AppTask', { namespace, name: error.task })
    expect(conditionsOf(task)).toEqual({ Succeeded: 'False NamespaceConflict' })
    await retry(world, 'too early')
    await operator.settle()
    const again = (await getInstance(world))['status']
    expect([again.phase, again.error.task]).toEqual(['Errored', error.task.replace(/1$/, '2')])
    await hands.remove('Namespace', { namespace: '', name: instance })
    await operator.until(
      'it is gone',
      async () => (await hands.find('Namespace', { namespace: '', name: instance })) === undefined,
    )
    await operator.settle()
    expect((await getInstance(world))['status']).toEqual(again)
    expect(childWrites(world)).toEqual([])

    await retry(world, 'it is free now')
    await operator.until('it is claimed', async () => (await hands.list('Deployment', instance)).length === 1)
    await operator.settle()
    await rollOut(hands, operator, instance)
    const healed = await getInstance(world)
    expect(healed['status']).toMatchObject({ phase: 'Running' })
    expect(healed['status'].error).toBeUndefined()
  }, 30_000)
})
