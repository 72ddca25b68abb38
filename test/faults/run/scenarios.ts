import { annotations, apiVersion, hashKeyName, labels } from '../../../operator/api/meta.ts'
import type { Hands } from '../../support/hands.ts'
import { servedKind } from '../double/served.ts'
import type { Store } from '../double/store.ts'
import { brokenImage } from '../world/deployments.ts'
import { failingProgram } from '../world/jobs.ts'
import { imageOf } from '../world/objects.ts'

/** Something a user does. */
export interface Step {
  readonly does: string
  /** When: once all is quiet, or as soon as this holds. */
  readonly when: 'settled' | ((store: Store) => boolean)
  readonly act: (hands: Hands) => Promise<unknown>
}

export interface Scenario {
  readonly name: string
  /** Whether the instance runs already when it begins. */
  readonly beginsCreated: boolean
  readonly steps: readonly Step[]
  /** What becomes of the instance. */
  readonly ends: 'Running' | 'gone' | 'released'
  /** Whether others hold what the instance needs: then they are told of. */
  readonly hasStrangers: boolean
  /** Whether how much is made and deleted depends on how far the operator was when the user came in between. */
  readonly isRace: boolean
}

/** The names every scenario uses. */
export const project = 'shop'
export const app = 'hello'
export const instance = 'hello-dev'

const web = {
  name: 'web',
  ports: [{ port: 8080 }],
  healthCheck: { path: '/healthz' },
  files: [{ path: '/etc/motd', content: 'hi' }],
  generatedSecrets: [{ name: 'TOKEN' }],
}
const jobs = { name: 'jobs', type: 'Worker', image: 'hello:1' }
const cron = { name: 'cron', type: 'Worker', image: 'hello:1' }

const ref = { namespace: project, name: instance }
const appRef = { namespace: project, name: app }

export function makeApp(services: readonly object[]): object {
  const metadata = { namespace: project, name: app }
  return { apiVersion, kind: 'App', metadata, spec: { stack: { services } } }
}

export function makeInstance(spec: object = {}): object {
  const metadata = { namespace: project, name: instance }
  return {
    apiVersion,
    kind: 'AppInstance',
    metadata,
    spec: { app, env: 'dev', image: 'hello:1', replicas: 2, ...spec },
  }
}

const settled = (does: string, act: Step['act']): Step => ({ does, when: 'settled', act })

const create = settled('create', async (hands) => {
  await hands.apply(makeApp([web, jobs]))
  await hands.apply(makeInstance())
})
const changeImage = settled('image', (hands) => hands.patch('AppInstance', ref, { spec: { image: 'hello:2' } }))
const changeReplicas = settled('replicas', (hands) => hands.patch('AppInstance', ref, { spec: { replicas: 3 } }))
const remove = settled('delete', (hands) => hands.remove('AppInstance', ref))
const retain = settled('retain', (hands) => hands.patch('AppInstance', ref, { spec: { deletionPolicy: 'Retain' } }))
const editStack = (services: readonly object[]): Step =>
  settled('edit the stack', (hands) => hands.patch('App', appRef, { spec: { stack: { services } } }))
const pinNewest = settled('move to the newest revision', async (hands) => {
  const { status } = await hands.get('App', appRef)
  await hands.patch('AppInstance', ref, { spec: { stack: { revision: status.latestRevision } } })
})

const hasNamespace = (store: Store): boolean => store.get(servedKind('Namespace'), `/${instance}`) !== undefined
const isTerminating = (store: Store): boolean => {
  const namespace = store.get(servedKind('Namespace'), `/${instance}`)
  return (namespace?.['metadata'] as { deletionTimestamp?: string } | undefined)?.deletionTimestamp !== undefined
}
/** Whether the Deployment of the service without an image of its own has been told to run this one. */
const runs =
  (image: string) =>
  (store: Store): boolean =>
    imageOf(store.get(servedKind('Deployment'), `${instance}/web`)) === image
const isGone = (store: Store): boolean => store.get(servedKind('AppInstance'), `${project}/${instance}`) === undefined

const isErrored = (store: Store): boolean => {
  const object = store.get(servedKind('AppInstance'), `${project}/${instance}`)
  return (object?.['status'] as { phase?: string } | undefined)?.phase === 'Errored'
}

const hasty: Step = {
  does: 'create again while the namespace of the first is leaving',
  when: isTerminating,
  act: async (hands) => {
    await hands.patch('AppInstance', ref, { metadata: { finalizers: null } })
    await hands.apply(makeInstance())
  },
}
const breakImage = settled('image', (hands) => hands.patch('AppInstance', ref, { spec: { image: brokenImage } }))
const changeImageBack: Step = {
  does: 'image back while the broken one is rolled out',
  when: runs(brokenImage),
  act: (hands) => hands.patch('AppInstance', ref, { spec: { image: 'hello:1' } }),
}
const migrating = (program: string): object => ({
  ...web,
  actions: [{ name: 'migrate', command: [program], run: 'BeforeDeploy' }],
})
const acting = {
  ...web,
  actions: [
    { name: 'migrate', command: ['migrate'], run: 'BeforeDeploy' },
    { name: 'warm', command: ['warm'], run: 'AfterDeploy' },
    { name: 'reindex', command: ['reindex'], run: 'AfterUpgrade' },
  ],
}
const withActionsByHand = {
  ...acting,
  actions: [
    ...acting.actions,
    { name: 'seed', command: ['seed'], run: 'Manual' },
    { name: 'break', command: [failingProgram], run: 'Manual' },
  ],
}
/** AppTasks that ask for these actions, all at once. */
const ask = (...actions: readonly string[]): Step =>
  settled(`ask for ${actions.join(', ')}`, async (hands) => {
    for (const [index, name] of actions.entries()) {
      const metadata = { namespace: project, name: `${instance}-${name}-${index}` }
      const spec = { instance, type: 'Action', action: { service: 'web', name } }
      await hands.apply({ apiVersion, kind: 'AppTask', metadata, spec })
    }
  })
const createWith = (service: object): Step =>
  settled('create with actions', async (hands) => {
    await hands.apply(makeApp([service]))
    await hands.apply(makeInstance())
  })
/** Of the operator, whose own namespace the project is here; made beforehand, so that the names of copies are the same in every run. */
const hashKey = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: project, name: hashKeyName },
  data: { key: Buffer.from('of all runs').toString('base64') },
}
/** One that the App may read. */
const allowed = (name: string, texts: Readonly<Record<string, string>>): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    namespace: project,
    name,
    labels: { [labels.allow]: 'true' },
    annotations: { [annotations.allowApps]: app },
  },
  data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
})
const secretOf = (password: string): object => allowed('db', { password })
const createWithSecret = settled('create with a Secret', async (hands) => {
  const variables = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }]
  for (const object of [hashKey, secretOf('correct-horse-1')]) await hands.apply(object)
  await hands.apply(makeApp([{ ...web, variables }]))
  await hands.apply(makeInstance({ deploy: { onSecretChange: 'Immediate' } }))
})
const changeSecret = settled('change the Secret', (hands) => hands.apply(secretOf('battery-staple-2')))
/** As in examples/shop: a worker from the web service, a volume that both mount, a database elsewhere, a migration. */
const shop = (path: string): readonly object[] => [
  { name: 'db', type: 'PostgreSQL' },
  {
    ...migrating('migrate'),
    healthCheck: { path },
    links: [{ service: 'db', as: 'DATABASE' }],
    volumes: [
      { name: 'uploads', path: '/uploads', size: '1Gi', accessMode: 'ReadWriteMany', storageClassName: 'shared' },
    ],
  },
  { name: 'worker', type: 'Worker', from: 'web', command: ['work'] },
]
const shopInstance = makeInstance({ services: [{ name: 'db', external: { secretName: 'pg' } }] })
const createShop = settled('create a shop', async (hands) => {
  const database = { host: 'pg-rw.of-others', port: '5432', username: 'user-of-shop', password: 'horse-battery-3' }
  const uri = 'postgresql://user-of-shop:horse-battery-3@pg-rw.of-others:5432/orders'
  for (const object of [hashKey, allowed('pg', { ...database, dbname: 'orders-of-shop', uri })])
    await hands.apply(object)
  await hands.apply(makeApp(shop('/healthz')))
  await hands.apply(shopInstance)
})
const upgradeShop = settled('upgrade to a new image and revision', async (hands) => {
  const { status } = await hands.get('App', appRef)
  await hands.patch('AppInstance', ref, { spec: { image: 'hello:2', stack: { revision: status.latestRevision } } })
})
const namespaceRef = { namespace: '', name: instance }
const takeNamespace = settled('others take the namespace', (hands) =>
  hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: instance, labels: { team: 'others' } } }),
)
const retry = (cause: string): Step =>
  settled(`retry: ${cause}`, (hands) =>
    hands.patch('AppInstance', ref, { metadata: { annotations: { [annotations.retry]: cause } } }),
  )
const leave = settled('the others leave', (hands) => hands.remove('Namespace', namespaceRef))
const slow = { namespace: instance, name: 'slow' }
const holdUp = settled('a finalizer of others is to hold its removal up', async (hands) => {
  await hands.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...slow, finalizers: ['others/slow'] } })
  await hands.patch('AppInstance', ref, { spec: { deletionDeadlineSeconds: 20 } })
})
const letGo: Step['act'] = (hands) => hands.patch('ConfigMap', slow, { metadata: { finalizers: null } })
const forceDelete: Step = {
  does: 'force the removal',
  // What nobody removed yet would be left behind.
  when: (store) => isErrored(store) && isTerminating(store),
  act: async (hands) => {
    const { metadata } = await hands.get('AppInstance', ref)
    await hands.patch('AppInstance', ref, { metadata: { annotations: { [annotations.forceDelete]: metadata.uid } } })
  },
}
const suspend = (isSuspended: boolean): Step =>
  settled(isSuspended ? 'suspend' : 'resume', (hands) =>
    hands.patch('AppInstance', ref, { spec: { suspend: isSuspended } }),
  )
const createAgain = (object: object): Step => ({
  does: 'create again',
  when: isGone,
  act: (hands) => hands.apply(object),
})
const allow = (pods: number): Step =>
  settled(`allow ${pods} pods`, (hands) =>
    hands.patch('AppEnv', { namespace: '', name: 'dev' }, { spec: { defaults: { quota: { pods } } } }),
  )
const outgrow = settled('image and more replicas than are allowed', (hands) =>
  hands.patch('AppInstance', ref, { spec: { image: 'hello:2', replicas: 6 } }),
)

const fromNothing = (name: string, ...steps: Step[]): Scenario => ({
  name,
  steps,
  beginsCreated: false,
  ends: 'Running',
  hasStrangers: false,
  isRace: false,
})
const created = (name: string, ...steps: Step[]): Scenario => ({
  ...fromNothing(name, ...steps),
  beginsCreated: true,
})

/** What is done to an instance. */
export const scenarios: readonly Scenario[] = [
  fromNothing('create', create),
  fromNothing('secret', createWithSecret, changeSecret),
  created('image', changeImage),
  created('image-and-back', breakImage, changeImageBack),
  created('replicas', changeReplicas, changeImage),
  created('revision', editStack([{ ...web, healthCheck: { path: '/livez' } }, jobs]), pinNewest),
  created('service-added', editStack([web, jobs, cron]), pinNewest),
  created('service-removed', editStack([web]), pinNewest),
  fromNothing('actions', createWith(acting), editStack([{ ...acting, healthCheck: { path: '/livez' } }]), pinNewest),
  fromNothing(
    'action-fails',
    createWith(migrating('migrate')),
    editStack([migrating(failingProgram)]),
    pinNewest,
    editStack([migrating('mend')]),
    pinNewest,
  ),
  fromNothing('ask', createWith(withActionsByHand), ask('seed', 'break', 'unknown'), changeImage, ask('break', 'seed')),
  created('suspend', suspend(true), changeImage, suspend(false)),
  {
    ...fromNothing('errored', takeNamespace, create, retry('too early'), leave, changeImage, retry('they have left')),
    hasStrangers: true,
  },
  { ...fromNothing('shop', createShop, editStack(shop('/livez')), upgradeShop, remove), ends: 'gone' },
  {
    ...fromNothing('shop-errored', takeNamespace, createShop, leave, retry('they have left'), upgradeShop),
    hasStrangers: true,
  },
  fromNothing('shop-retained', createShop, retain, remove, createAgain(shopInstance)),
  { ...fromNothing('quota', allow(5), create, outgrow, allow(10), remove), ends: 'gone' },
  { ...created('delete', remove), ends: 'gone' },
  { ...created('delete-with-retain', retain, remove), ends: 'released' },
  created('recreate-after-retain', retain, remove, createAgain(makeInstance())),
  { ...fromNothing('delete-during-create', create, { ...remove, when: hasNamespace }), ends: 'gone', isRace: true },
  { ...created('delete-during-roll-out', changeImage, { ...remove, when: runs('hello:2') }), ends: 'gone' },
  {
    ...created('delete-errored', holdUp, remove, { does: 'let it go', when: isErrored, act: letGo }),
    ends: 'gone',
  },
  {
    ...created('delete-forced', holdUp, remove, forceDelete, { does: 'let the rest go', when: isGone, act: letGo }),
    ends: 'gone',
    hasStrangers: true,
    // What is left just then is on record.
    isRace: true,
  },
  created('recreate', remove, createAgain(makeInstance())),
  { ...created('recreate-in-haste', remove, hasty), isRace: true },
]

/** The scenario of a name; throws for another one. */
export function scenarioOf(name: string): Scenario {
  const found = scenarios.find((each) => each.name === name)
  if (found === undefined) throw new TypeError(`no scenario ${name}: ${scenarios.map((each) => each.name).join(', ')}`)
  return found
}

/** What is there before: the project, its environment, and what looks like the instance's but is not. */
export async function prepare(hands: Hands): Promise<void> {
  await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: project } })
  await hands.apply({ apiVersion, kind: 'AppEnv', metadata: { name: 'dev' }, spec: { type: 'dev' } })
  for (const name of ['hello-dev-2', 'hello-de', 'hello']) {
    const marks = { [labels.instance]: instance, [labels.app]: app, [labels.project]: project }
    await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    const metadata = { name: 'web', namespace: name, labels: marks }
    for (const kind of ['ConfigMap', 'ServiceAccount']) await hands.apply({ apiVersion: 'v1', kind, metadata })
    await hands.apply({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } })
  }
}
