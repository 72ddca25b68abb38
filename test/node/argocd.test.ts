import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { waitUntil } from '../cluster/kubeApi.ts'
import { isAtRest, startArgoCd, type Application, type ArgoCd } from '../support/argocd.ts'
import { makeGitRepository, type GitRepository } from '../support/gitRepository.ts'
import { conditionOf, follow, getInstance, project, startNodeWorld, type Followed, type NodeWorld } from './world.ts'

/** examples/gitops, synced by Argo CD's own application controller: one story on one cluster, in order. */

const root = join(import.meta.dirname, '../..')
const example = join(root, 'examples/gitops')

const kept = ['greeter-preview', 'greeter-prod']

let world: NodeWorld
let argocd: ArgoCd
let repository: GitRepository
let told: Followed

/** The Applications of the example, for this repository and this project. */
const applications = (): string =>
  readFileSync(join(example, 'argocd.yaml'), 'utf8')
    .replaceAll('https://git.example.com/team/greeter.git', repository.url)
    .replaceAll('team-greeter', project)

beforeAll(async () => {
  world = await startNodeWorld()
  // That of the errored one, and that of prod, which outlives its instance.
  await world.kubectl.text('delete', 'namespace', ...kept, '--ignore-not-found', '--timeout=60s')
  repository = await makeGitRepository(example)
  argocd = await startArgoCd(world.cluster, join(root, 'integrations/argocd/argocd-cm.yaml'))
  told = follow(
    world,
    ['-n', 'argocd', 'applications'],
    '{.metadata.name} {.status.sync.status} {.status.health.status}',
  )
}, 900_000)

afterAll(async () => {
  told?.stop()
  process.stderr.write(`${told?.values.join('\n')}\n`)
  await argocd?.stop()
  repository?.remove()
  await world?.kubectl.ask('delete', 'namespace', project, ...kept, '--wait=false')
}, 120_000)

/** Resolves when the Application has applied this commit and is of this health. */
async function untilSynced(name: string, commit: string, health: string): Promise<Application> {
  await argocd.refresh(name)
  return argocd.until(name, (application) => hasApplied(application, commit) && healthOf(application) === health)
}

const hasApplied = (application: Application, commit: string): boolean => {
  const { status, revision } = application.status?.sync ?? {}
  return isAtRest(application) && status === 'Synced' && revision === commit
}

const healthOf = ({ status }: Application): string | undefined => status?.health?.status

/** What the Application says of its instance. */
const messageOf = ({ status }: Application): string | undefined =>
  status?.resources?.find(({ kind }) => kind === 'AppInstance')?.health?.message

/** A file of the repository with something in it replaced; throws where it does not have that. */
function changed(path: string, ...pairs: readonly (readonly [from: string, to: string])[]): Record<string, string> {
  let text = repository.read(path)
  for (const [from, to] of pairs) {
    if (!text.includes(from)) throw new Error(`${path} has no ${from}`)
    text = text.replace(from, to)
  }
  return { [path]: text }
}

/** The revision and the image that an instance runs. */
async function runningOf(name: string): Promise<string> {
  const { kubectl } = world
  const revision = '-o=jsonpath={.status.currentRelease.stackRevision}'
  const image = '-o=jsonpath={.spec.template.spec.containers[0].image}'
  const parts = [
    await kubectl.text('-n', project, 'get', 'appinstance', name, revision),
    await kubectl.text('-n', name, 'get', 'deployment', 'web', image),
  ]
  return parts.join(' ')
}

const wordOf = async (name: string): Promise<string> =>
  world.kubectl.text('-n', project, 'get', 'configmap', name, '-o=jsonpath={.data.level}')

const untilGone = (...objects: readonly string[]): Promise<void> =>
  waitUntil(`${objects.join(' and ')} are gone`, 60, async () => {
    return (await world.kubectl.text('-n', project, 'get', ...objects, '--ignore-not-found')) === ''
  })

const all = ['greeter', 'greeter-dev', 'greeter-prod']
const stack = 'app/stack.yaml'
const dev = 'dev/instance.yaml'
const prod = 'prod/instance.yaml'

describe('examples/gitops, synced by Argo CD', () => {
  it('comes up, and is Healthy when it serves', async () => {
    await world.kubectl.apply(applications(), 'argocd')
    for (const name of all) await argocd.until(name, (each) => healthOf(each) === 'Healthy')
    expect(await runningOf('greeter-dev')).toBe('greeter-1.0 appstead.local/hello:1')
    expect(await runningOf('greeter-prod')).toBe('greeter-1.0 appstead.local/hello:1')
    expect(told.values).toEqual(
      expect.arrayContaining(['greeter-dev Synced Progressing', 'greeter-dev Synced Healthy']),
    )
  }, 180_000)

  it('takes none of the children for its own, and finds nothing to change the second time', async () => {
    const { kubectl } = world
    const objects = [
      '-n',
      project,
      'get',
      'app,appstack,appinstance,configmap',
      '-o=jsonpath={.items[*].metadata.resourceVersion}',
    ]
    const before = await kubectl.text(...objects)
    const asTheServerCompares = 'argocd.argoproj.io/compare-options=ServerSideDiff=true'
    await kubectl.text('-n', 'argocd', 'annotate', 'application', 'greeter-prod', asTheServerCompares)
    for (const name of all) {
      const { status } = await argocd.refresh(name)
      expect(status?.sync?.status).toBe('Synced')
      const again = await argocd.sync(name)
      expect(again.status?.operationState?.phase).toBe('Succeeded')
      expect(again.status?.resources?.map(({ kind }) => kind).toSorted()).toEqual(
        name === 'greeter' ? ['App', 'AppStack'] : ['AppInstance', 'ConfigMap'],
      )
    }
    expect(await kubectl.text(...objects)).toBe(before)
    const kinds = 'deployments,replicasets,pods,services,secrets,serviceaccounts,networkpolicies,roles,rolebindings'
    const children = await kubectl.text('get', kinds, '-n', 'greeter-dev', '-o', 'yaml')
    expect(children).not.toContain('argocd')
    expect(await kubectl.text('get', 'namespace', 'greeter-dev', '-o', 'yaml')).not.toContain('argocd')
  }, 120_000)

  it('is promoted by one commit for each instance, and goes back by the opposite of it', async () => {
    // Sooner than in the example, so that the release that fails further down does so soon.
    const sooner = ['DeadlineSeconds: 60', 'DeadlineSeconds: 15'] as const
    await repository.commit('Publish 1.1', changed(stack, ["'1.0'", "'1.1'"], sooner))
    await argocd.refresh('greeter')
    const toNext = (file: string): Record<string, string> =>
      changed(file, ['greeter-1.0', 'greeter-1.1'], ['hello:1', 'hello:2'])
    await untilSynced('greeter-dev', await repository.commit('1.1 to dev', toNext(dev)), 'Healthy')
    expect(await runningOf('greeter-dev')).toBe('greeter-1.1 appstead.local/hello:2')
    expect(await runningOf('greeter-prod')).toBe('greeter-1.0 appstead.local/hello:1')
    await untilSynced('greeter-prod', await repository.commit('1.1 to prod', toNext(prod)), 'Healthy')
    expect(await runningOf('greeter-prod')).toBe('greeter-1.1 appstead.local/hello:2')
    await untilSynced('greeter-prod', await repository.revertLast(), 'Healthy')
    expect(await runningOf('greeter-prod')).toBe('greeter-1.0 appstead.local/hello:1')
    expect(await runningOf('greeter-dev')).toBe('greeter-1.1 appstead.local/hello:2')
  }, 300_000)

  it('is Degraded when a release fails, while what ran goes on, and Healthy when the commit is taken back', async () => {
    const broken = await repository.commit(
      'A bad image',
      changed(dev, ['appstead.local/hello:2', '127.0.0.1:1/hello:3']),
    )
    const { status } = await untilSynced('greeter-dev', broken, 'Degraded')
    process.stderr.write(`${messageOf({ status } as Application)}\n`)
    await untilSynced('greeter-dev', await repository.revertLast(), 'Healthy')
    expect(await runningOf('greeter-dev')).toBe('greeter-1.1 appstead.local/hello:2')
  }, 300_000)

  it('is Suspended while the commit says so', async () => {
    const spec = repository.read(dev)
    await untilSynced(
      'greeter-dev',
      await repository.commit('Rest', { [dev]: `${spec}  suspend: true\n` }),
      'Suspended',
    )
    await untilSynced('greeter-dev', await repository.revertLast(), 'Healthy')
  }, 120_000)

  it('goes on with the rest of an Application whose instance is Errored, and has it out again', async () => {
    const { kubectl } = world
    const preview = (path: string): string => repository.read(path).replaceAll('greeter-dev', 'greeter-preview')
    const files = { instance: 'preview/instance.yaml', settings: 'preview/settings.yaml' }
    await kubectl.text('create', 'namespace', 'greeter-preview')
    const begun = await repository.commit('A preview', {
      [files.instance]: preview(dev),
      [files.settings]: preview('dev/settings.yaml'),
    })
    const [, application = ''] = applications().split('---\n')
    const manifest = application.replaceAll('greeter-dev', 'greeter-preview').replace('path: dev', 'path: preview')
    await kubectl.apply(manifest, 'argocd')
    const degraded = await untilSynced('greeter-preview', begun, 'Degraded')
    expect(messageOf(degraded)).toMatch(/^Creation failed at step 'namespace'/)

    const edited = await repository.commit('More replicas, and more words', {
      [files.instance]: `${repository.read(files.instance)}  replicas: 2\n`,
      ...changed(files.settings, ['level: info', 'level: debug']),
    })
    const { status } = await untilSynced('greeter-preview', edited, 'Degraded')
    expect(status?.operationState?.phase).toBe('Succeeded')
    expect(await wordOf('greeter-preview')).toBe('debug')
    const stored = await getInstance(world, 'greeter-preview')
    expect(stored.metadata.generation).toBe(2)
    expect(conditionOf(stored, 'OperationsBlocked').message).toContain('Generation 2 is stored, not acted on.')
    process.stderr.write(`${messageOf({ status } as Application)}\n`)

    await kubectl.text('delete', 'namespace', 'greeter-preview')
    await kubectl.text('-n', project, 'annotate', 'appinstance', 'greeter-preview', 'appstead.dev/retry=freed')
    await argocd.until('greeter-preview', (each) => healthOf(each) === 'Healthy')
    expect(await getInstance(world, 'greeter-preview')).toMatchObject({ status: { counts: { summary: '2/2' } } })
  }, 300_000)

  it('prunes what is gone from git, with all it had', async () => {
    await untilSynced(
      'greeter-preview',
      await repository.commit('No more', { 'preview/instance.yaml': undefined }),
      'Healthy',
    )
    await untilGone('appinstance/greeter-preview', 'namespace/greeter-preview')
  }, 120_000)

  it('says why what is protected stays when it is gone from git, and prunes it once git lifts that', async () => {
    const { kubectl } = world
    const removed = await repository.commit('No prod', { [prod]: undefined })
    await argocd.refresh('greeter-prod')
    const refused = await argocd.until('greeter-prod', ({ status }) => {
      const { syncResult, message = '' } = status?.operationState ?? {}
      return syncResult?.revision === removed && message.includes('denied')
    })
    expect(refused.status?.operationState?.message).toContain(
      "AppInstance 'greeter-prod' of project 'shop' is protected from deletion (its AppEnv, as it says nothing itself)",
    )
    await argocd.terminate('greeter-prod')
    await untilSynced('greeter-prod', await repository.revertLast(), 'Healthy')
    const lifted = { [prod]: `${repository.read(prod)}  deletionProtection: false\n` }
    await untilSynced('greeter-prod', await repository.commit('Lift it', lifted), 'Healthy')
    await untilSynced('greeter-prod', await repository.commit('No prod', { [prod]: undefined }), 'Healthy')
    await untilGone('appinstance/greeter-prod')
    // As its environment says: what prod has is kept.
    expect(await kubectl.text('get', 'namespace', 'greeter-prod', '-o', 'name')).toBe('namespace/greeter-prod\n')
  }, 180_000)
})
