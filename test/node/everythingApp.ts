/** An app whose services say nearly all that a service may say; its processes tell what came of it. */

/** Each is a PersistentVolume and its storage class: that of web, by a claim that is given, and that of first. */
export const volumeNames = ['test-everything-given', 'test-everything-own'] as const
const [, own] = volumeNames
/** Whom web runs as. */
export const user = 4242

/** Whether the root of the process may be written: rw or ro. */
export const rootMount = `fs.readFileSync('/proc/self/mounts', 'utf8').split('\\n').find((line) => line.split(' ')[1] === '/').split(' ')[3].split(',')[0]`

/** Answers with all that it can see of itself, and each datagram with the same one. */
const webProgram = `
  const attempt = (what) => { try { what(); return 'written' } catch ({ code }) { return code } }
  const look = (path) => {
    const { mode } = fs.statSync(path)
    return { content: fs.readFileSync(path, 'utf8'), mode: (mode & 0o777).toString(8) }
  }
  const paths = ['/etc/everything/written', '/etc/everything/secret', '/etc/everything/config']
  http.createServer((request, response) => response.end(JSON.stringify({
    uid: process.getuid(),
    env: process.env,
    files: paths.map(look),
    root: ${rootMount},
    temporary: attempt(() => fs.writeFileSync('/tmp/x', 'x')),
    changed: attempt(() => fs.appendFileSync(paths[0], 'x')),
  }))).listen(8080)
  const socket = dgram.createSocket('udp4')
  socket.on('message', (message, { port, address }) => socket.send('heard ' + message, port, address))
  socket.bind(5353)
  process.once('SIGTERM', () => process.exit())`

/** Serves after three seconds; writes down when it is the only one, and that it was. */
const firstProgram = `
  const note = (line) => fs.appendFileSync('/own/life', line + '\\n')
  note('start ' + process.env.EDITION)
  setTimeout(() => fs.writeFileSync('/tmp/ready', ''), 3000)
  setInterval(() => undefined, 1000)
  process.once('SIGTERM', () => setTimeout(() => { note('end ' + process.env.EDITION); process.exit() }, 1000))`

/** A command that runs a program of Node. */
export const run = (program: string): string[] => ['node', '--eval', program]

/** An action that takes so long before it leaves its name, and who it was, on the volume. */
const action = (name: string, when: string, milliseconds: number): object => ({
  name,
  run: when,
  command: run(
    `setTimeout(() => fs.appendFileSync('/data/actions', '${name} ' + process.getuid() + '\\n'), ${milliseconds})`,
  ),
})

const field = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } })

/** Each says a variable of its own, and one that all of them say. */
const layer = (name: string): readonly object[] => [
  { name: `OF_${name}`, value: name },
  { name: 'OF_ALL', value: name },
]

/** The environment of its instance. */
export const environment = {
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'AppEnv',
  metadata: { name: 'everything' },
  spec: { type: 'dev', variables: layer('ENV') },
}

/** Its instance. */
export const instanceOf = (name: string, image: string): object => ({
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'AppInstance',
  metadata: { name },
  spec: {
    app: 'everything',
    env: 'everything',
    image,
    stack: { autoUpgrade: true },
    variables: layer('INSTANCE'),
  },
})

/** The App: `first`, with an image of its own, and `web`. The edition is what `first` notes; another one is an upgrade. */
export const everything = (image: string, edition: string): object => ({
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'App',
  metadata: { name: 'everything' },
  spec: {
    imagePullSecrets: [{ name: 'login' }],
    variables: layer('APP'),
    stack: {
      services: [
        {
          name: 'first',
          type: 'Worker',
          image,
          command: run(firstProgram),
          variables: [{ name: 'EDITION', value: edition }],
          healthCheck: { command: run("fs.accessSync('/tmp/ready')") },
          volumes: [{ name: 'own', path: '/own', size: '1Gi', accessMode: 'ReadWriteOncePod', storageClassName: own }],
        },
        {
          name: 'web',
          command: run(webProgram),
          dependsOn: ['first'],
          ports: [
            { name: 'http', port: 8080 },
            { name: 'echo', port: 5353, protocol: 'UDP' },
          ],
          healthCheck: {
            command: run("fetch('http://127.0.0.1:8080').then(({ status }) => process.exit(status === 200 ? 0 : 1))"),
          },
          rollout: { drainSeconds: 1 },
          security: { runAsUser: user, readOnlyRootFilesystem: false },
          variables: [
            field('POD', 'metadata.name'),
            field('NAMESPACE', 'metadata.namespace'),
            field('UID', 'metadata.uid'),
            field('NODE', 'spec.nodeName'),
            field('HOST_IP', 'status.hostIP'),
            field('POD_IP', 'status.podIP'),
            field('POD_IPS', 'status.podIPs'),
            { name: 'WINS', value: 'variable' },
          ],
          variablesFrom: [{ configMapRef: { name: 'config' } }, { secretRef: { name: 'secret' }, prefix: 'S_' }],
          generatedSecrets: [{ name: 'TOKEN', length: 40 }],
          files: [
            { path: '/etc/everything/written', content: 'costs $(POD) 5$$\n' },
            { path: '/etc/everything/secret', secretKeyRef: { name: 'secret', key: 'PIN' } },
            { path: '/etc/everything/config', configMapKeyRef: { name: 'config', key: 'COLOUR' } },
          ],
          volumes: [{ name: 'data', path: '/data', existingClaim: 'given' }],
          actions: [
            action('one', 'AfterDeploy', 1500),
            action('upgraded', 'AfterUpgrade', 0),
            action('two', 'AfterDeploy', 0),
          ],
        },
      ],
    },
  },
})
