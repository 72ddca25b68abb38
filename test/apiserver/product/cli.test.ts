import { expect, it } from '@jest/globals'
import { load } from 'js-yaml'
import { makePodsReady } from '../../support/kubelet.ts'
import { appstead, type Ended } from '../../unit/cli/cli.ts'
import { completedInBash, withKubectl } from './shell.ts'
import { refuseAccounts, allowAccounts } from './accounts.ts'
import { jumpingClock } from './fastClock.ts'
import {
  create,
  createRunning,
  getInstance,
  makeApp,
  makeInstance,
  makeSecret,
  messageOf,
  untilErrored,
  useWorld,
  web,
} from './world.ts'

const world = useWorld({ clock: jumpingClock() })

const why = (name = world.instance, ...more: readonly string[]): Promise<Ended> => {
  const { cluster, namespace } = world
  return appstead(['why', name, '-n', namespace, '--kubeconfig', cluster.kubeconfig, ...more])
}

it('why says of an instance that all is well, and ends with 0', async () => {
  await createRunning(world)
  const { code, stdout, stderr } = await why()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(`${world.instance}: Running, AllReady\n`)
})

it('why names the cause of a roll-out that waits, and the pod; what is not there is told with what is like it', async () => {
  await create(world)
  const { code, stdout, stderr } = await why()
  expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
  expect(stdout).toContain(`Cause: ${messageOf(await getInstance(world), 'Ready')}\n`)
  expect(stdout).toMatch(/^Pod: web-\S+ in namespace \S+: /m)
  const gone = await why(`${world.instance}x`)
  expect(gone).toMatchObject({ code: 1, stdout: '' })
  expect(gone.stderr).toBe(
    `error: there is no AppInstance '${world.instance}x' in namespace '${world.namespace}'; there is '${world.instance}'\n`,
  )
  expect(await why(world.instance, '--context', 'other')).toMatchObject({
    code: 1,
    stderr: "error: --context 'other': the kubeconfig has no such context\n",
  })
})

it('why names the task, its step and the ways out of an Errored instance', async () => {
  await refuseAccounts(world)
  try {
    await create(world, { spec: { creationDeadlineSeconds: 15 } })
    await untilErrored(world)
    const { error } = (await getInstance(world))['status']
    const { code, stdout } = await why()
    expect(code).toBe(3)
    expect(stdout).toContain(`Task: ${error.task}, step ${error.failedStep}\n`)
    for (const step of error.nextSteps as string[]) expect(stdout).toContain(`Do: ${step}\n`)
    const [head, row] = (await ask('tasks')).stdout.split('\n')
    expect(head?.split(/ {3,}/)).toEqual(['NAME', 'TYPE', 'RESULT', 'REASON', 'AGE', 'STEP', 'MESSAGE'])
    expect(row).toMatch(new RegExp(`^${error.task} +Create +False +${error.reason} +\\d+s +${error.failedStep} +\\S`))
    expect((await ask('tasks', '-o', 'name')).stdout).toBe(`apptask.appstead.dev/${error.task}\n`)
    expect((await ask('deploy')).stderr).toContain('no new release is made of it now')
    expect(await ask('retry', '--cause', 'once more')).toMatchObject({ code: 0, stderr: '' })
    expect((await getInstance(world)).metadata.annotations).toMatchObject({ 'appstead.dev/retry': 'once more' })
  } finally {
    await allowAccounts(world)
  }
})

it('get, why, tasks and tree speak of one instance, of those of a project, of all; as text, json, yaml and name', async () => {
  await create(world)
  const { namespace, instance, cluster } = world
  const all = (command: string, ...more: readonly string[]): Promise<Ended> =>
    appstead([command, '-A', '--kubeconfig', cluster.kubeconfig, ...more])
  const name = `appinstance.appstead.dev/${instance}\n`
  const row = new RegExp(`^${namespace} +${instance} +dev +Deploying `, 'm')
  expect((await all('get')).stdout).toMatch(row)
  expect((await ask('get', '-o', 'wide')).stdout).toMatch(/ REASON +MESSAGE +AGE\n/)
  expect((await ask('get', '-o', 'name')).stdout).toBe(name)
  expect((await all('get', '-l', 'no=body')).stdout).toBe('No AppInstances\n')
  expect(JSON.parse((await ask('get', '-o', 'json')).stdout)).toEqual(await getInstance(world))
  const worst = await all('why', '-o', 'name')
  expect([worst.code, worst.stdout]).toEqual([3, expect.stringContaining(name)])
  const told = load((await ask('why', '-o', 'yaml')).stdout)
  expect(told).toMatchObject({ name: instance, namespace, isAsItShouldBe: false })
  expect((await all('tasks')).stdout).toMatch(new RegExp(`^${namespace} +${instance} +\\S+-create-1 +Create `, 'm'))
  expect((await ask('tree', '-o', 'name')).stdout).toMatch(new RegExp(`^${name}apprelease.*\n(.*\n)*pod/web-`))
  const both = await appstead(['get', instance, '-A', '--kubeconfig', cluster.kubeconfig])
  expect(both.stderr).toBe(
    `error: '${instance}' and --all-namespaces exclude each other: a name is of one namespace, say -n\n`,
  )
})

it('doctor says what is missing, what to do, and ends with 3', async () => {
  const { cluster } = world
  const words = ['doctor', '--kubeconfig', cluster.kubeconfig]
  const { code, stdout, stderr } = await appstead(words)
  expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  expect(lines).toContain(
    "error    operator      no pod of it in namespace 'appstead-system'. Install the chart, or name its namespace: --operator-namespace",
  )
  expect(lines).toContain('warning  rights        not looked at: there is no pod of the operator')
  expect(lines.find((line) => line.includes(' cluster '))).toMatch(/^ok +cluster +Kubernetes v1\./)
  const { findings } = JSON.parse((await appstead([...words, '-o', 'json'])).stdout) as {
    findings: { check: string }[]
  }
  expect(findings.map(({ check }) => check)).toEqual(lines.map((line) => line.split(/ +/)[1]))
})

it('completes commands, options, values and the names of instances in bash', async () => {
  await create(world)
  const { namespace, instance, cluster } = world
  const completed = (...words: readonly string[]): Promise<readonly string[]> => completedInBash(cluster, words)
  expect(await completed('re')).toEqual(['render', 'report', 'restart', 'resume', 'retry'])
  expect(await completed('why', '-n', namespace, instance.slice(0, 3))).toEqual([instance])
  expect(await completed('promote', '-n', namespace, instance, '')).toEqual([instance])
  expect(await completed('get', '--all')).toEqual(['--all-namespaces'])
  expect(await completed('get', '-o', '')).toEqual(['json', 'yaml', 'name', 'wide'])
  expect(await completed('why', '--context', 'none', '')).toEqual([])
}, 90_000)

interface Managed {
  readonly managedFields: readonly { readonly manager: string }[]
}

/** Any command on the instance of the test. */
const ask = (command: string, ...more: readonly string[]): Promise<Ended> => {
  const { cluster, namespace, instance } = world
  return appstead([command, instance, '-n', namespace, '--kubeconfig', cluster.kubeconfig, ...more])
}

it('scale, suspend and resume change the spec as somebody else than the operator, and tell when it takes effect', async () => {
  await createRunning(world)
  const name = `appinstance.appstead.dev/${world.instance}`
  for (const [words, done] of [
    [['scale', '--replicas', '3'], 'scaled'],
    [['suspend'], 'suspended'],
    [['resume'], 'resumed'],
    [['deploy', '--follow'], 'deploy requested'],
    [['restart'], 'restart requested'],
  ] as const) {
    const [command, ...more] = words
    const stdout = `${name} ${done} (dry run)\n`
    expect(await ask(command, ...more, '--dry-run')).toEqual({ code: 0, stdout, stderr: '' })
  }
  const { metadata, ...rest } = await getInstance(world)
  expect([metadata.generation, metadata.annotations, rest['spec'].replicas]).toEqual([1, undefined, 1])
  expect((await ask('scale', '--replicas', '11', '--dry-run')).code).toBe(1)
  expect(await ask('scale', '--replicas', '3')).toEqual({
    code: 0,
    stdout: `${name} scaled\nIt takes effect with the next deployment; now: kubectl appstead deploy ${world.instance}\n`,
    stderr: '',
  })
  await world.operator.settle()
  const scaled = await getInstance(world)
  expect([scaled['spec'].replicas, scaled['status'].pendingSummary]).toEqual([3, 'services[web].replicas'])
  expect((scaled.metadata as unknown as Managed).managedFields.map(({ manager }) => manager)).toContain(
    'kubectl-appstead',
  )
  expect(await ask('suspend')).toEqual({ code: 0, stdout: `${name} suspended\n`, stderr: '' })
  await world.operator.until('it is Suspended', async () => (await getInstance(world))['status'].phase === 'Suspended')
  const refused = await ask('deploy')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toBe(
    `error: deploy of ${name}: no new release is made of it now (Suspended); see kubectl appstead why ${world.instance} -n ${world.namespace}\n`,
  )
  expect(await ask('resume')).toEqual({ code: 0, stdout: `${name} resumed\n`, stderr: '' })
  expect((await getInstance(world))['spec'].suspend).toBe(false)
  const many = await ask('scale', '--replicas', '11')
  expect(many).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/spec\.replicas.*less than or equal to 10/),
  })
  expect((await ask('scale')).stderr).toBe(
    'error: --replicas of scale must be a whole number from 1 to 10: it is missing\n',
  )
}, 90_000)

it('deploy --follow waits for the release it asked for, and ends by how that went', async () => {
  await createRunning(world)
  await world.hands.patch(
    'AppInstance',
    { namespace: world.namespace, name: world.instance },
    { spec: { replicas: 2 } },
  )
  await world.operator.settle()
  const asked = ask('deploy', '--cause', 'two are better', '--follow', '--timeout', '60')
  let ended: Ended | undefined
  void asked.then((done) => (ended = done))
  await world.operator.until(
    'it has ended',
    async () => {
      await makePodsReady(world.hands, world.instance)
      return ended !== undefined
    },
    60,
  )
  const { code, stdout, stderr } = await asked
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n')[0]).toBe(`appinstance.appstead.dev/${world.instance} deploy requested`)
  expect(stdout).toMatch(/-r2: All services are rolled out and ready\.\n$/)
  expect((await getInstance(world))['status'].requests).toMatchObject({ deploy: 'two are better' })
  const { uid = '' } = (await getInstance(world)).metadata
  const [head, service, ...below] = (await ask('tree')).stdout.trimEnd().split('\n')
  expect([head, service]).toEqual([`AppInstance ${world.instance}  Running, AllReady`, '├─ Service web (Web)  2/2'])
  expect(below).toEqual([
    expect.stringMatching(/^│ {2}├─ Pod web-\S+ {2}ready$/),
    expect.stringMatching(/^│ {2}└─ Pod web-\S+ {2}ready$/),
    `├─ AppRelease ${world.instance}-${uid.slice(0, 5)}-r2  RolledOut`,
    `├─ AppRelease ${world.instance}-${uid.slice(0, 5)}-r1  RolledOut`,
    `└─ AppTask (Create) ${world.instance}-${uid.slice(0, 5)}-create-1  Completed`,
  ])
  expect((await ask('deploy', '--cause', 'two are better')).stderr).toBe(
    "error: --cause 'two are better': it was asked for with these words before; say others\n",
  )
  expect((await ask('retry')).stderr).toContain('it is not Errored, so there is nothing to be tried again')
}, 90_000)

const password = { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }

/** What applying these would change, in a project of ours. */
const diff = (...items: readonly object[]): Promise<Ended> => {
  const { cluster, namespace } = world
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  const words = ['diff', '-f', '-', '-n', namespace, '--kubeconfig', cluster.kubeconfig]
  return appstead(words, { input, env: withKubectl(cluster) })
}

it('diff says what applying files would change of objects, field by field, and no value of a Secret', async () => {
  const { hands, namespace, app, instance } = world
  const secret = makeSecret(world, 'db', { password: 'canary-one' })
  const same = makeInstance(world, { variables: [password] })
  await hands.apply(secret)
  await createRunning(world, { spec: { variables: [password] } })
  const before = await getInstance(world)
  expect(await diff(secret, makeApp(world), same)).toEqual({ code: 0, stdout: '', stderr: '' })
  const more = makeInstance(world, { variables: [password], image: 'hello:2', replicas: 2 })
  const changed = await diff(more)
  expect(changed).toMatchObject({ code: 3, stderr: '' })
  expect(changed.stdout.split('\n')).toEqual([
    `AppInstance ${instance} by release 2 (services[web].image hello:1 → hello:2, services[web].replicas 1 → 2)`,
    '  PodDisruptionBudget web created',
    '  Deployment web changed',
    '    spec.replicas: 1 → 2',
    '    spec.template.spec.containers[web].image: hello:1 → hello:2',
    '',
  ])
  const other = makeSecret(world, 'db', { password: 'canary-two' })
  const secrets = await diff(other)
  expect(secrets.stdout).toContain('(Secret/db has new content)')
  expect(secrets.stdout).not.toMatch(/canary|Y2FuYXJ5/)
  const stack = await diff(makeApp(world, [{ ...web, healthCheck: { path: '/well' } }]))
  expect(stack.stdout).toMatch(new RegExp(`^AppStackRevision app-${app}-r2-\\w+ published\n$`))
  const refused = await diff(makeInstance(world, { image: 'hello 1' }))
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toMatch(/^error: these files could not be applied:\n.*spec\.image/s)
  expect((await diff({ ...makeApp(world), metadata: { namespace: 'default', name: app } })).stderr).toMatch(/namespace/)
  const { metadata, ...rest } = await getInstance(world)
  expect([metadata.generation, rest['status']]).toEqual([before.metadata.generation, before['status']])
  expect((await hands.list('AppStackRevision', namespace)).length).toBe(1)
}, 120_000)

it('promote gives an instance what runs in another, says what it changes, and only that', async () => {
  const { hands, namespace, instance, cluster, app, operator } = world
  await createRunning(world, { spec: { image: 'hello:2' } })
  const target = `${app}-other`
  const promote = (...words: readonly string[]): Promise<Ended> =>
    appstead(['promote', ...words, '-n', namespace, '--kubeconfig', cluster.kubeconfig])
  const spec = { replicas: 3, deploy: { trigger: 'Manual' } }
  await hands.apply(makeInstance({ ...world, instance: target }, spec))
  await operator.settle()
  const { metadata, ...rest } = await hands.get('AppInstance', { namespace, name: target })
  const name = `appinstance.appstead.dev/${target}`
  const revision = (await getInstance(world))['status'].stack.current as string
  const changes = `  stack.revision: <none> → ${revision}\n  image: hello:1 → hello:2\n`
  expect(await promote(instance, target, '--dry-run')).toEqual({
    code: 0,
    stdout: `${name} promoted (dry run)\n${changes}`,
    stderr: '',
  })
  const unchanged = await hands.get('AppInstance', { namespace, name: target })
  expect([unchanged.metadata.generation, unchanged['spec']]).toEqual([metadata.generation, rest['spec']])
  const written = await promote(instance, target, '--dry-run', '-o', 'json')
  const wanted = { ...rest['spec'], image: 'hello:2', stack: { revision } }
  expect(JSON.parse(written.stdout)).toEqual({
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { namespace, name: target },
    spec: wanted,
  })
  const done = await promote(instance, target)
  expect(done).toMatchObject({ code: 0, stderr: '' })
  expect(done.stdout).toBe(
    `${name} promoted\n${changes}It takes effect with the next deployment; now: kubectl appstead deploy ${target}\n`,
  )
  const promoted = await hands.get('AppInstance', { namespace, name: target })
  expect(promoted['spec']).toEqual(wanted)
  expect((promoted.metadata as unknown as Managed).managedFields.map(({ manager }) => manager)).toContain(
    'kubectl-appstead',
  )
  expect((await promote(instance, target)).stdout).toBe(`${name} unchanged\n`)
  const doubt = await promote(target, instance)
  expect(doubt).toMatchObject({ code: 1, stdout: '' })
  expect(doubt.stderr).toContain(`${name} is not as it should be (`)
}, 90_000)
