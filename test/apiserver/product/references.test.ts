import { describe, expect, it } from '@jest/globals'
import { auditMark, requestsOf } from '../../support/auditLog.ts'
import { makeCanary } from '../../support/canaries.ts'
import type { Anything } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import { conditionsOf, create, createRunning, getInstance, messageOf, releasesOf, useWorld, web } from './world.ts'

const world = useWorld()

interface Marks {
  readonly allowed?: boolean
  readonly apps?: string
  readonly instances?: string
  readonly kind?: 'Secret' | 'ConfigMap'
  readonly type?: string
}

/** Puts a Secret of this project there, as it is to be. */
async function putSecret(name: string, texts: Record<string, string>, marks: Marks = {}): Promise<void> {
  const { allowed = true, apps = world.app, instances, kind = 'Secret', type } = marks
  const metadata = {
    namespace: world.namespace,
    name,
    labels: allowed ? { 'appstead.dev/allow': 'true' } : {},
    annotations: { 'appstead.dev/allow-apps': apps, ...(instances && { 'appstead.dev/allow-instances': instances }) },
  }
  const data = kind === 'Secret' ? { stringData: texts } : { data: texts }
  await world.hands.apply({ apiVersion: 'v1', kind, metadata, ...data, ...(type && { type }) })
}

/** All values of this project's Secrets that a service is given, in copies, by key. */
async function copies(): Promise<readonly Anything[]> {
  const secrets = await world.hands.list('Secret', world.instance)
  return secrets.filter(({ metadata }) => metadata.annotations?.['appstead.dev/copy-of'] !== undefined)
}

/** Of what there are copies, and of what type they are. */
async function copied(): Promise<readonly string[]> {
  const names = (await copies()).map(
    ({ metadata, ...copy }) => `${metadata.annotations?.['appstead.dev/copy-of']} ${copy['type']}`,
  )
  return names.toSorted((a, b) => (a < b ? -1 : 1))
}

const textOf = (secret: Anything, key: string): string => Buffer.from(secret['data'][key], 'base64').toString()

/** The copy that the pods of web take their password from. */
async function runningCopy(): Promise<Anything> {
  const { spec } = await world.hands.get('Deployment', { namespace: world.instance, name: 'web' })
  const env: Anything[] = spec.template.spec.containers[0].env
  const name: string = env.find((each) => each['name'] === 'PASSWORD')?.['valueFrom'].secretKeyRef.name
  return world.hands.get('Secret', { namespace: world.instance, name })
}

/** GETs of this project's Secrets since a mark. */
function reads(mark: number): number {
  return requestsOf(world.cluster, world.operatorUser, mark).filter(
    ({ verb, objectRef }) =>
      verb === 'get' &&
      ['secrets', 'configmaps'].includes(objectRef?.resource ?? '') &&
      objectRef?.namespace === world.namespace,
  ).length
}

const password = { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }
const stack = [{ ...web, variables: [password] }]
const ready = async (): Promise<string | undefined> => conditionsOf(await getInstance(world))['Ready']

describe('a Secret that is referred to', () => {
  it('is waited for until it is there, allows the app, and has the key; each time the message has the command', async () => {
    await putSecret('dbs', { password: makeCanary('another Secret') })
    await create(world, { stack })
    const message = async (): Promise<string> => messageOf(await getInstance(world), 'Ready')
    expect(await ready()).toBe('Unknown ReferenceNotFound')
    expect(await message()).toContain(
      `kubectl label secret db -n ${world.namespace} appstead.dev/allow=true && kubectl annotate secret db -n ${world.namespace} appstead.dev/allow-apps=${world.app}`,
    )
    await putSecret('db', { user: makeCanary('user') }, { allowed: false })
    await world.operator.settle()
    expect(await message()).toContain(
      `No Secret 'db' in namespace '${world.namespace}' that may be used by apps (variable PASSWORD of service 'web'); there is 'dbs'; `,
    )
    await putSecret('db', { user: makeCanary('user') }, { apps: 'others' })
    await world.operator.settle()
    expect(await ready()).toBe('Unknown ReferenceNotAllowed')
    expect(await message()).toContain(`--overwrite appstead.dev/allow-apps=others,${world.app}`)
    await putSecret('db', { user: makeCanary('user') }, { apps: `others, ${world.app}` })
    await world.operator.settle()
    expect(await ready()).toBe('Unknown ReferenceKeyMissing')
    expect(await message()).toContain(
      "Secret 'db' has no key 'password' (variable PASSWORD of service 'web'); it has: user",
    )
    expect(await releasesOf(world)).toEqual([])
    const value = makeCanary('password')
    await putSecret('db', { password: value })
    await world.operator.settle()
    expect(textOf(await runningCopy(), 'password')).toBe(value)
    expect((await runningCopy())['immutable']).toBe(true)
  }, 30_000)

  it('that allows the app but names other instances is refused, with the command that allows this one', async () => {
    const { namespace, app, instance, operator } = world
    const value = makeCanary('password')
    await putSecret('db', { password: value }, { instances: `${app}-prod` })
    await create(world, { stack })
    expect(await ready()).toBe('Unknown ReferenceNotAllowed')
    const message = messageOf(await getInstance(world), 'Ready')
    expect(message).toContain(
      `Secret 'db' (variable PASSWORD of service 'web') does not allow AppInstance '${instance}'`,
    )
    expect(message).toContain(
      `kubectl annotate secret db -n ${namespace} --overwrite appstead.dev/allow-instances=${app}-prod,${instance}`,
    )
    expect(await releasesOf(world)).toEqual([])
    await putSecret('db', { password: value }, { instances: `${app}-prod, ${instance}` })
    await operator.settle()
    expect(textOf(await runningCopy(), 'password')).toBe(value)
  }, 30_000)

  it('is read once, by whatever services; once when it changes; and never at rest or after a restart', async () => {
    await putSecret('db', { password: makeCanary('password') })
    const mark = auditMark(world.cluster)
    await createRunning(world, { stack: [...stack, { ...stack[0], name: 'api', image: 'api:1' }] })
    expect(reads(mark)).toBe(1)
    expect(await copies()).toHaveLength(1)
    const atRest = auditMark(world.cluster)
    await world.whileDown(() => Promise.resolve())
    await world.operator.settle()
    expect(reads(atRest)).toBe(0)
    const changed = auditMark(world.cluster)
    await putSecret('db', { password: makeCanary('new password') })
    await world.operator.settle()
    expect(reads(changed)).toBe(1)
  }, 60_000)

  it('that changed waits for the next deployment; what is made anew until then has the values of its release', async () => {
    const [before, after] = [makeCanary('old'), makeCanary('new')]
    await putSecret('db', { password: before })
    await createRunning(world, { stack })
    await putSecret('db', { password: after })
    await world.operator.settle()
    const { status } = await getInstance(world)
    expect(status.pendingChanges).toEqual([
      {
        path: 'services[web].variables[PASSWORD]',
        from: expect.stringMatching(/^hash [0-9a-f]{16}$/),
        to: expect.stringMatching(/^hash [0-9a-f]{16}$/),
        effect: 'Restart',
        source: 'Secret/db',
      },
    ])
    expect(messageOf(await getInstance(world), 'ChangesPending')).toMatch(
      /^services\[web\]\.variables\[PASSWORD\] \(Secret\/db has new content\) \(Restart\): takes effect with the next deployment/,
    )
    expect(conditionsOf(await getInstance(world))).toMatchObject({ Ready: 'True AllReady' })
    expect(await releasesOf(world)).toHaveLength(1)
    expect(textOf(await runningCopy(), 'password')).toBe(before)
    const { namespace, instance: name } = world
    await world.hands.patch('AppInstance', { namespace, name }, { spec: { deploy: { onSecretChange: 'Immediate' } } })
    await world.operator.settle()
    await rollOut(world.hands, world.operator, name)
    expect((await releasesOf(world)).map(({ spec }) => spec.cause)).toEqual([
      'instance created',
      'services[web].variables[PASSWORD] (Secret/db has new content)',
    ])
    expect(textOf(await runningCopy(), 'password')).toBe(after)
    // The first release is kept, and so is what it names.
    expect(await copies()).toHaveLength(2)
    await putSecret('db', { password: makeCanary('third') })
    await world.operator.settle()
    expect(await releasesOf(world)).toHaveLength(3)
  }, 60_000)

  it('gives variablesFrom, files and the images of all services, from ConfigMaps too; copies go with their last release', async () => {
    const [key, token] = [makeCanary('key'), makeCanary('token')]
    await putSecret('tls', { 'tls.key': key, TOKEN: token })
    await putSecret('look', { COLOUR: 'blue' }, { kind: 'ConfigMap' })
    const type = 'kubernetes.io/dockerconfigjson'
    await putSecret('registry', { '.dockerconfigjson': '{"auths":{}}' }, { type })
    const files = [{ path: '/etc/key', secretKeyRef: { name: 'tls', key: 'tls.key' } }]
    const from = [{ secretRef: { name: 'tls' }, prefix: 'TLS_' }, { configMapRef: { name: 'look' } }]
    const { namespace, app, instance } = world
    await world.hands.apply({
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'App',
      metadata: { namespace, name: app },
      spec: { stack: { services: [{ ...web, files, variablesFrom: from }] }, imagePullSecrets: [{ name: 'registry' }] },
    })
    await createInstance()
    expect(await copied()).toEqual(['ConfigMap/look Opaque', `Secret/registry ${type}`, 'Secret/tls Opaque'])
    const { spec } = await world.hands.get('Deployment', { namespace: instance, name: 'web' })
    const registry = (await copies()).find(
      ({ metadata }) => metadata.annotations?.['appstead.dev/copy-of'] === 'Secret/registry',
    )
    expect(spec.template.spec.imagePullSecrets).toEqual([{ name: registry?.metadata.name }])
    expect(spec.template.spec.containers[0].env.map((each: Anything) => each['name'])).toEqual(
      expect.arrayContaining(['TLS_TOKEN', 'COLOUR']),
    )
    for (let image = 2; image <= 13; image += 1) {
      const more = image === 2 ? { variables: [{ name: 'COLOUR', value: 'red' }] } : {}
      await world.hands.patch(
        'AppInstance',
        { namespace, name: instance },
        { spec: { image: `hello:${image}`, ...more } },
      )
      await world.operator.settle()
      await rollOut(world.hands, world.operator, instance)
    }
    await world.operator.settle()
    expect(await copied()).toEqual([`Secret/registry ${type}`, 'Secret/tls Opaque'])
  }, 120_000)

  it('whose copy was deleted gives it again, or a new release when it has other values by then', async () => {
    const before = makeCanary('before')
    await putSecret('db', { password: before })
    await createRunning(world, { stack })
    const copy = await runningCopy()
    await world.hands.remove('Secret', { namespace: world.instance, name: copy.metadata.name })
    await world.operator.settle()
    expect(textOf(await runningCopy(), 'password')).toBe(before)
    const after = makeCanary('after')
    await world.whileDown(async () => {
      await putSecret('db', { password: after })
      await world.hands.remove('Secret', { namespace: world.instance, name: copy.metadata.name })
    })
    await world.operator.settle()
    expect(await releasesOf(world)).toHaveLength(2)
    expect(textOf(await runningCopy(), 'password')).toBe(after)
  }, 60_000)
})

async function createInstance(): Promise<void> {
  const { namespace, app, instance } = world
  await world.hands.apply({
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { namespace, name: instance },
    spec: { app, env: 'dev', image: 'hello:1' },
  })
  await world.operator.settle()
  await rollOut(world.hands, world.operator, instance)
}
