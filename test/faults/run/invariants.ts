import { membersOf, textOf, type Members } from '../double/json.ts'
import { servedKind } from '../double/served.ts'
import type { Change, Store } from '../double/store.ts'
import { metaOf } from '../double/writes.ts'
import { imageOf } from '../world/objects.ts'
import { locksName } from '../../../operator/api/appLock.ts'
import { annotations } from '../../../operator/api/meta.ts'
import { app, instance, project, type Scenario } from './scenarios.ts'
import type { World } from './world.ts'

/** The longest that any fault holds up an event. */
const staleMilliseconds = 90_000

/** What is told of others: of what they changed, hold, or keep. Where nobody is at work but us, that accuses nobody. */
const accusations = ['DriftCorrected', 'Contested', 'NamespaceConflict', 'NamespaceLeft', 'ChangedByAdmission']

/** Watches a world; what must never be and was, in words. */
export function watchInvariants(world: World, { hasStrangers }: Pick<Scenario, 'hasStrangers'>): string[] {
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
    if (!isOwn(change) || isOfStrangers(change)) say(`I3: wrote ${nameOf(change)}, which is not the instance's`)
    const accusation = accusationIn(change)
    if (accusation !== '' && !hasStrangers) say(`I5: ${accusation}`)
    for (const rash of rashActs(store, change)) say(rash)
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

/** What the operator did that cannot be taken back, and had no right to. */
function rashActs(store: Store, change: Change): string[] {
  const acts = { I4: rashRemoval(store, change), I9: secondStart(store, change) }
  return Object.entries(acts).flatMap(([rule, text]) => (text === '' ? [] : [`${rule}: ${text}`]))
}

/** Why a Job that an AppTask asked for may not start: another one is recorded for it, or none; '' when it may. */
function secondStart(store: Store, { served, after, key }: Change): string {
  if (served.type.kind !== 'Job' || after === undefined || membersOf(after['spec'])['suspend'] === true) return ''
  const asked = metaOf(after).annotations?.[annotations.task]
  if (asked === undefined) return ''
  const task = store.get(servedKind('AppTask'), `${project}/${asked}`)
  const recorded = membersOf(membersOf(task?.['status'])['job'])['uid']
  return recorded === metaOf(after).uid ? '' : `let Job ${key} go, and ${String(recorded)} is recorded for ${asked}`
}

/** What an Event tells of others, as `reason: message`; '' when it is no such Event. */
function accusationIn({ served, after }: Change): string {
  if (served.type.kind !== 'Event' || after === undefined) return ''
  const reason = String(after['reason'])
  return accusations.includes(reason) ? `${reason}: ${String(after['message'])}` : ''
}

/** Why a removal by the operator is not what the objects say as they are in that moment, whatever it saw of them; '' when it is. */
function rashRemoval(store: Store, { served, key, before, after }: Change): string {
  if (before === undefined || isGoing(before) || !isGoing(after)) return ''
  const live = store.get(servedKind('AppInstance'), `${project}/${instance}`)
  if (live === undefined || isGoing(live)) return ''
  if (served.type.kind === 'Namespace') {
    const claimed = metaOf(before).annotations?.['appstead.dev/instance-uid']
    return claimed === metaOf(live).uid ? 'removed the namespace of an instance that is to stay' : ''
  }
  if (served.type.kind !== 'Deployment') return ''
  const name = key.slice(key.indexOf('/') + 1)
  return newestServices(store, metaOf(live).uid).includes(name)
    ? `removed the Deployment of service ${name}, which the newest release has`
    : ''
}

function isGoing(object: Members | undefined): boolean {
  return object === undefined || metaOf(object).deletionTimestamp !== undefined
}

/** Names of the services in an instance's newest release. */
function newestServices(store: Store, uid: string | undefined): readonly string[] {
  const specs = store.list(servedKind('AppRelease')).map(([, release]) => membersOf(release['spec']))
  const own = specs.filter((spec) => spec['instanceUid'] === uid)
  const newest = own.toSorted((a, b) => Number(b['number']) - Number(a['number']))[0]
  return ((newest?.['services'] ?? []) as readonly { readonly name: string }[]).map(({ name }) => name)
}

function nameOf({ served, key }: Change): string {
  return `${served.type.plural} ${key}`
}

/** A namespace that others made, under the name of the instance's. */
function isOfStrangers({ served: { type }, before }: Change): boolean {
  return (
    type.kind === 'Namespace' &&
    before !== undefined &&
    metaOf(before).annotations?.[annotations.instanceUid] === undefined
  )
}

/** The objects that are the instance's and its App's own. */
function isOwn({ served: { type }, key }: Change): boolean {
  const [namespace, name = ''] = key.split('/')
  if (type.kind === 'Namespace') return name === instance
  if (type.kind === 'AppEnv') return true
  if (namespace === instance) return true
  // Of what has no namespace, such as the project itself, Events are told there.
  if (type.kind === 'Event' && namespace === 'default') return name.startsWith(`${project}.`)
  if (namespace !== project) return false
  switch (type.kind) {
    case 'Event':
      return true
    case 'App':
      return name === app
    case 'AppInstance':
      return name === instance
    case 'AppLock':
      return name === locksName
    case 'AppStackRevision':
      return name.startsWith(`app-${app}-r`)
    case 'AppRelease':
    case 'AppTask':
      return name.startsWith(`${instance}-`)
    default:
      return false
  }
}

/** A port is no secret, and stands in many a uid. */
const shortestSecret = 8

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
      const value = atob(encoded)
      if (value.length >= shortestSecret) this.#values.add(encoded).add(value)
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
  // What is not to run, need not be what is declared; it must only not run.
  if (membersOf(object['spec'])['suspend'] === true) {
    const { replicas } = membersOf(deployment['spec'])
    return replicas === 0
      ? unfinished(deployment)
      : `Ready and suspended, and ${String(replicas)} replicas are asked for`
  }
  const running = imageOf(deployment)
  return running === image ? unfinished(deployment) : `Ready with image ${String(image)}, and ${String(running)} runs`
}

function unfinished(deployment: Members): string {
  const { replicas } = membersOf(deployment['spec'])
  const status = membersOf(deployment['status'])
  const isDone = status['updatedReplicas'] === replicas && status['availableReplicas'] === replicas
  return isDone ? '' : `Ready, and the Deployment web says ${JSON.stringify(status)}`
}
