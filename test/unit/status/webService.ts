import type { ResolvedService } from '../../../operator/api/service/resolvedService.ts'

/** A service of a release, with one replica and a health check. */
export const webService: ResolvedService = {
  name: 'web',
  type: 'Web',
  main: true,
  image: 'web:1',
  replicas: 1,
  ports: [{ name: 'http', port: 8080, protocol: 'HTTP' }],
  variables: [],
  files: [],
  resources: {},
  rollout: { progressDeadlineSeconds: 300, drainSeconds: 10, terminationGracePeriodSeconds: 30 },
  generatedSecrets: [],
  healthCheck: { path: '/healthz', port: 'http', timeoutSeconds: 5, startupSeconds: 30 },
}
