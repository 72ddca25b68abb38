import { membersOf, textOf, type Members } from '../double/json.ts'
import { servedKind } from '../double/served.ts'
import type { Change, Store } from '../double/store.ts'
import { metaOf } from '../double/writes.ts'
import { imageOf } from '../world/objects.ts'
import { app, instance, project } from './scenarios.ts'
import type { World } from './world.ts'

/** The longest that any fault holds up an event. */
const staleMilliseconds = 90_000

/** Watches a world; what must never be and was, in words. */
export function watchInvariants(world: World): string[] {
  const violations: string[] = []
  const { store } = world.double
  const secrets = new Secrets(store)
  let deploymentGoneAt = Number.NEGATIVE_INFINITY
  const say = (text: string): void => {
    if (violations.length < 20) violations.push(text)
  }
  store.onChange((change) => {
    secrets.learn(change)
    if (change.key === `${instance}/web` && change.served.type.kind === 'Deployment' && change.after === undefined) {
      deploymentGoneAt = world.schedule.time
    }
    if (change.actor !== 'operator') return
    if (!isOwn(change)) say(`I3: wrote ${nameOf(change)}, which is not the instance's`)
    if (change.served.type.kind !== 'Secret' && secrets.isIn(textOf(change.shown))) {
      say(`I7: a secret is in ${nameOf(change)}`)
    }
    if (change.served.type.kind === 'AppInstance' && change.after !== undefined) {
      const why = falseReadiness(store, change.after)
      // Where the news of its removal is held up, the operator cannot know for as long.
      if (why !== '' && world.schedule.time - deploymentGoneAt > staleMilliseconds) say(`I6: ${why}`)
    }
  })
  world.onLog((line) => {
    if (secrets.isIn(line)) say(`I7: a secret is in the log: ${line}`)
    if (line.includes('"thrown":"bug"')) say(`the operator threw: ${line}`)
  })
  return violations
}

function nameOf({ served, key }: Change): string {
  return `${served.type.plural} ${key}`
}

/** The objects that are the instance's and its App's own. */
function isOwn({ served: { type }, key }: Change): boolean {
  const [namespace, name = ''] = key.split('/')
  if (type.kind === 'Namespace') return name === instance
  if (type.kind === 'AppEnv') return true
  if (namespace === instance) return true
  if (namespace !== project) return false
  switch (type.kind) {
    case 'Event':
      return true
    case 'App':
      return name === app
    case 'AppInstance':
      return name === instance
    case 'AppStackRevision':
      return name.startsWith(`app-${app}-r`)
    case 'AppRelease':
      return name.startsWith(`${instance}-`)
    default:
      return false
  }
}

/** Every value of a Secret there ever was. */
class Secrets {
  readonly #values = new Set<string>()

  constructor(store: Store) {
    for (const [, secret] of store.list(servedKind('Secret'))) this.#add(secret)
  }

  learn({ served, after }: Change): void {
    if (served.type.kind === 'Secret' && after !== undefined) this.#add(after)
  }

  isIn(text: string): boolean {
    for (const value of this.#values) if (text.includes(value)) return true
    return false
  }

  #add(secret: Members): void {
    for (const encoded of Object.values(membersOf(secret['data'])) as string[]) {
      this.#values.add(encoded)
      this.#values.add(atob(encoded))
    }
  }
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly observedGeneration?: number
}

/** Why a status claims what cannot be known; '' when it does not. */
function falseReadiness(store: Store, object: Members): string {
  const { generation = 0, deletionTimestamp } = metaOf(object)
  const status = membersOf(object['status'])
  const conditions = (status['conditions'] ?? []) as readonly Condition[]
  const ready = conditions.find(({ type }) => type === 'Ready')
  const seen = ready?.observedGeneration ?? 0
  if (seen > generation) return `Ready speaks of generation ${seen}, and the newest is ${generation}`
  if (ready?.status !== 'True' || seen < generation || deletionTimestamp !== undefined) return ''
  // What goes with its namespace goes while the operator looks; it cannot see that at once.
  const namespace = store.get(servedKind('Namespace'), `/${instance}`)
  if (namespace === undefined || metaOf(namespace).deletionTimestamp !== undefined) return ''
  const image = membersOf(object['spec'])['image']
  const deployment = store.get(servedKind('Deployment'), `${instance}/web`)
  if (deployment === undefined) return 'Ready, and there is no Deployment web'
  const running = imageOf(deployment)
  return running === image ? unfinished(deployment) : `Ready with image ${String(image)}, and ${String(running)} runs`
}

function unfinished(deployment: Members): string {
  const { replicas } = membersOf(deployment['spec'])
  const status = membersOf(deployment['status'])
  const isDone = status['updatedReplicas'] === replicas && status['availableReplicas'] === replicas
  return isDone ? '' : `Ready, and the Deployment web says ${JSON.stringify(status)}`
}
