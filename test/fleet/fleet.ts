import { apiVersion } from '../../operator/api/meta.ts'
import type { Anything, Hands } from '../support/hands.ts'

/** One AppInstance of a fleet: its project is its namespace, its name that of the namespace made for it. */
export interface Member {
  readonly project: string
  readonly app: string
  readonly name: string
}

/** So many instances per app and apps of a project. */
export interface ProjectSize {
  readonly project: string
  readonly apps: number
  readonly instances: number
}

/** The instances of a project, spread over its apps. */
export function membersOf({ project, apps, instances }: ProjectSize): readonly Member[] {
  return Array.from({ length: instances }, (_, index) => {
    const app = `${project}-a${index % apps}`
    return { project, app, name: `${app}-i${index}` }
  })
}

/** Makes a project's namespace and Apps. */
export async function makeProject(hands: Hands, { project, apps }: ProjectSize): Promise<void> {
  await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: project } })
  const services = [{ name: 'web', ports: [{ port: 8080 }], healthCheck: { path: '/healthz' } }]
  for (let app = 0; app < apps; app += 1) {
    const metadata = { namespace: project, name: `${project}-a${app}` }
    await hands.apply({ apiVersion, kind: 'App', metadata, spec: { stack: { services } } })
  }
}

/** Makes, or changes, an AppInstance. */
export async function applyMember(hands: Hands, { project, app, name }: Member, image = 'hello:1'): Promise<void> {
  const metadata = { namespace: project, name }
  await hands.apply({ apiVersion, kind: 'AppInstance', metadata, spec: { app, env: 'dev', image } })
}

/** Makes all of them, many at once: all requests are on their way before the first is answered. */
export async function createAll(hands: Hands, members: readonly Member[]): Promise<void> {
  await Promise.all(members.map((member) => applyMember(hands, member)))
}

/** The instances that are not Ready with their present spec, by name. */
export async function unready(hands: Hands): Promise<readonly string[]> {
  const instances = await hands.list('AppInstance', '')
  return instances.filter((instance) => !isReady(instance)).map(({ metadata }) => metadata.name)
}

function isReady({ metadata, status }: Anything): boolean {
  const conditions: readonly { type: string; status: string }[] = status?.conditions ?? []
  const isTrue = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True')
  return isTrue && status.observedGeneration === metadata.generation
}
