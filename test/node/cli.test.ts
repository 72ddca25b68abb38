import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import process from 'node:process'
import { waitUntil } from '../cluster/kubeApi.ts'
import { intoErrored, outByDeletion, removeTaken, takenInstance, type Walk } from '../demo/errored.ts'
import { appstead, main, type Ended } from '../unit/cli/cli.ts'
import { killProcessOf, podsOf, project, startNodeWorld, untilInstance, type NodeWorld } from './world.ts'

/** kubectl appstead where there are processes: one story, in order. */

let world: NodeWorld
let walk: Walk
const name = 'hello-dev'

const where = (): readonly string[] => ['-n', project, '--kubeconfig', world.cluster.kubeconfig]

const ask = (words: readonly string[], rest: readonly string[] = []): Promise<Ended> => {
  const path = [dirname(world.cluster.kubectl), process.env['PATH']].join(delimiter)
  return appstead([...words, ...where(), ...rest], { env: { PATH: path } })
}

beforeAll(async () => {
  world = await startNodeWorld()
  walk = { ...world, project, image: world.images.hello('1'), report: () => undefined }
  await removeTaken(walk)
  const hello = readFileSync('examples/hello/hello.yaml', 'utf8').replace('appstead.local/hello:1', walk.image)
  await world.kubectl.apply(hello.replace('  env: dev', '  env: dev\n  replicas: 2'), project)
  await untilInstance(world, name, ({ status }) => status.phase === 'Running')
}, 900_000)

afterAll(async () => {
  await world?.kubectl.ask('delete', 'namespace', project, '--wait=false')
}, 120_000)

const namesOfPods = async (): Promise<readonly string[]> =>
  (await podsOf(world, name, 'appstead.dev/service=web')).map(({ metadata }) => metadata.name).toSorted()

/** A command at work. */
interface AtWork {
  /** What it has written until now. */
  readonly text: () => string
  /** Exit code, signal, errors. */
  readonly ended: Promise<unknown[]>
  /** As by Ctrl-C; resolves when it has. */
  readonly end: () => Promise<unknown[]>
  /** What it writes from now on has no reader. */
  readonly close: () => void
}

function start(...words: string[]): AtWork {
  const child = spawn(process.execPath, [main, ...words, ...where()], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const ended = new Promise<unknown[]>((resolve) => {
    child.once('close', (code, signal) => resolve([code, signal, errors]))
  })
  const end = (): Promise<unknown[]> => {
    child.kill('SIGINT')
    return ended
  }
  return { text: () => text, ended, end, close: () => child.stdout.destroy() }
}

const said = (pods: readonly string[]): string[] => pods.map((pod) => `${pod} | version 1 listens on 8080`)

describe('kubectl appstead on a real node', () => {
  it('logs shows what all replicas wrote, each line with its pod', async () => {
    const pods = await namesOfPods()
    expect(pods).toHaveLength(2)
    expect(await ask(['logs', name])).toEqual({ code: 0, stdout: `${said(pods).join('\n')}\n`, stderr: '' })
    const plain = await ask(['logs', name, '--service', 'web', '--tail', '1', '--since', '2h', '--plain'])
    expect(plain.stdout).toBe('version 1 listens on 8080\nversion 1 listens on 8080\n')
  })

  it('logs says which option is wrong, and what would be right', async () => {
    const told = [
      ['--tail', 'few'],
      ['--since', '5'],
      ['--service', 'wob'],
      ['-f', '-p'],
    ].map(async (words) => (await ask(['logs', name, ...words])).stderr)
    expect(await Promise.all(told)).toEqual([
      "error: --tail of logs must be a number of lines, such as 100: 'few'\n",
      "error: --since of logs must be a time such as 30s, 5m or 2h: '5'\n",
      "error: --service 'wob': hello-dev runs no such service; there is 'web'\n",
      'error: --previous and --follow exclude each other: a process that has ended writes no more\n',
    ])
  })

  it('logs -f goes over to the replicas that a roll-out brings, tells each line once, and ends with 0 on Ctrl-C', async () => {
    const before = await namesOfPods()
    const following = start('logs', name, '-f')
    await waitUntil('both are heard', 30, () => Promise.resolve(following.text().split('\n').length > 2))
    expect(await ask(['restart', name, '--follow', '--timeout', '120'])).toMatchObject({ code: 0, stderr: '' })
    const after = await namesOfPods()
    await waitUntil('the new ones are heard', 30, () => Promise.resolve(following.text().split('\n').length > 4))
    expect(await following.end()).toEqual([0, null, ''])
    expect(following.text().trimEnd().split('\n').toSorted()).toEqual(said([...before, ...after]).toSorted())
  }, 240_000)

  it('exec runs a command in a ready replica, and ends as that does', async () => {
    const program = 'process.stdout.write(process.env.APPSTEAD_INSTANCE); process.exit(7)'
    const { code, stdout } = await ask(['exec', name], ['--', 'node', '--eval', program])
    expect([code, stdout]).toEqual([7, name])
    expect(await ask(['exec', name, '--service', 'wob'], ['--', 'node'])).toMatchObject({ code: 1, stdout: '' })
    const none = await appstead(['exec', name, ...where(), '--', 'node'], { env: { PATH: '/nowhere' } })
    expect(none.stderr).toBe('error: exec needs kubectl in the PATH, and there is none\n')
  })

  it('refuses both while an instance is Errored, and names where the evidence is', async () => {
    await intoErrored(walk)
    const evidence = `kubectl appstead why ${takenInstance} -n ${project}; kubectl appstead tasks ${takenInstance} -n ${project}`
    const refused = [await ask(['logs', takenInstance]), await ask(['exec', takenInstance], ['--', 'node'])]
    expect(refused).toEqual(
      ['logs', 'exec'].map((command) => ({
        code: 1,
        stdout: '',
        stderr: `error: ${command} of appinstance.appstead.dev/${takenInstance} is refused: it is Errored (NamespaceConflict); what is known stands in: ${evidence}\n`,
      })),
    )
    expect(await ask(['why', takenInstance])).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('Task: taken-dev-'),
    })
    await outByDeletion(walk)
  }, 180_000)

  it('doctor finds the operator well', async () => {
    const { code, stdout, stderr } = await appstead(['doctor', '--kubeconfig', world.cluster.kubeconfig])
    process.stderr.write(stdout)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    const wrong = lines.filter((line) => !/^(ok|warning {2}(storage|instances)) /.test(line))
    expect([lines.length, wrong]).toEqual([10, []])
  })

  it('why names a release that failed; report tells all of it but a secret that is everywhere', async () => {
    // No canaries: that a status quotes the last line of a process is meant.
    const [plain = '', kept = '', spoken = ''] = ['plain', 'kept', 'spoken'].map(
      (each) => `${each}-${randomBytes(12).toString('hex')}`,
    )
    const program = `console.error('cannot log in as ' + process.env.NAME + ' ${spoken}'); process.exit(3)`
    const db = {
      name: 'db',
      labels: { 'appstead.dev/allow': 'true' },
      annotations: { 'appstead.dev/allow-apps': 'leaky' },
    }
    const service = {
      name: 'web',
      ports: [{ port: 8080 }],
      healthCheck: { path: '/healthz' },
      rollout: { progressDeadlineSeconds: 10 },
      command: ['node', '--eval', program],
      variables: [
        { name: 'PLAIN', value: plain },
        { name: 'NAME', valueFrom: { secretKeyRef: { name: 'db', key: 'name' } } },
      ],
    }
    const ours = { apiVersion: 'appstead.dev/v1alpha1' }
    const items = [
      { apiVersion: 'v1', kind: 'Secret', metadata: db, stringData: { name: kept } },
      { ...ours, kind: 'App', metadata: { name: 'leaky' }, spec: { stack: { services: [service] } } },
      {
        ...ours,
        kind: 'AppInstance',
        metadata: { name: 'leaky-dev' },
        spec: { app: 'leaky', env: 'dev', image: walk.image, variables: [{ name: 'MORE', value: `${plain}-too` }] },
      },
    ]
    await world.kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), project)
    const failed = await untilInstance(world, 'leaky-dev', ({ status }) => 'failedRelease' in status, 120)
    expect(JSON.stringify(failed)).toContain(spoken)
    const why = await ask(['why', 'leaky-dev'])
    process.stderr.write(why.stdout)
    expect(why).toMatchObject({ code: 3, stderr: '' })
    expect(why.stdout).toMatch(/^Release: leaky-dev-\w+-r1 failed: CrashLoop$/m)
    expect(why.stdout).toMatch(/^Pod: web-\S+ in namespace leaky-dev: /m)
    const { code, stdout, stderr } = await ask(['report', 'leaky-dev'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const kinds = new Set([...stdout.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind))
    expect([...kinds]).toEqual(
      expect.arrayContaining(['AppInstance', 'App', 'AppEnv', 'AppRelease', 'AppTask', 'Pod', 'Event', 'OperatorLog']),
    )
    expect(stdout).toContain('reason: CrashLoop')
    for (const secret of [plain, kept, spoken]) {
      expect(stdout).not.toContain(secret)
      expect(stdout).not.toContain(Buffer.from(secret).toString('base64'))
    }
  }, 180_000)

  it('logs -f tells what a process that is started again writes, and ends with 0 when the instance is gone', async () => {
    const following = start('logs', name, '-f', '--plain')
    await waitUntil('both are heard', 30, () => Promise.resolve(following.text().split('\n').length > 2))
    const unread = start('logs', name, '-f')
    await waitUntil('it is heard', 30, () => Promise.resolve(unread.text().split('\n').length > 2))
    unread.close()
    const [pod] = await podsOf(world, name, 'appstead.dev/service=web')
    if (pod) killProcessOf(pod)
    await waitUntil('the next process is heard', 60, () => Promise.resolve(following.text().split('\n').length > 3))
    // Nobody reads it any more.
    expect(await unread.ended).toEqual([0, null, ''])
    await world.kubectl.text('-n', project, 'delete', 'appinstance', name, '--wait=false')
    expect(await following.ended).toEqual([0, null, ''])
    expect(following.text()).toBe('version 1 listens on 8080\n'.repeat(3))
  }, 180_000)
})
