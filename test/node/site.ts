/** An app with an instance for each situation that is on a screen (screens.test.ts). */

/**
 * Serves until it is told to break: from then on its process ends at each start, as with a database that is gone. Its
 * version 2 answers no health check. What it writes to /tmp outlives its process, not its pod.
 */
const program = `
  const fail = () => { fs.writeFileSync('/tmp/broken', ''); console.error('no database'); process.exit(3) }
  if (fs.existsSync('/tmp/broken')) fail()
  http.createServer(({ url }, response) => {
    if (url === '/break') fail()
    const version = process.env.HELLO_VERSION
    response.writeHead(version === '2' ? 500 : 200).end('version ' + version + ', on ' + os.hostname())
  }).listen(8080)
  process.on('SIGTERM', () => process.exit())`

export const names = [
  'site-down',
  'site-failed',
  'site-stuck',
  'site-manual',
  'site-suspended',
  'site-invalid',
  'site-waits',
  'site-secret',
]

const specs: Readonly<Record<string, object>> = {
  'site-down': { replicas: 2 },
  'site-stuck': { deletionDeadlineSeconds: 20 },
  'site-manual': { deploy: { trigger: 'Manual' } },
  'site-secret': { variables: [{ name: 'WORD', valueFrom: { secretKeyRef: { name: 'site', key: 'word' } } }] },
}

/** The Secret whose word site-secret has. */
export const secretOf = (word: string): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'site',
    labels: { 'appstead.dev/allow': 'true' },
    annotations: { 'appstead.dev/allow-apps': 'site' },
  },
  stringData: { word },
})

/** All of it, with this image for its instances. */
export const declared = (image: string): object[] => [
  secretOf('old'),
  {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'App',
    metadata: { name: 'site' },
    spec: {
      stack: {
        services: [
          {
            name: 'web',
            command: ['node', '--eval', program],
            ports: [{ port: 8080 }],
            healthCheck: { path: '/healthz' },
            rollout: { progressDeadlineSeconds: 15 },
          },
        ],
      },
    },
  },
  ...names.map((name) => ({
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { name },
    spec: { app: 'site', env: 'dev', image, ...specs[name] },
  })),
]
