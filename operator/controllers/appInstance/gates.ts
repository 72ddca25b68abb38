import type { AppInstance } from '../../api/appInstance.ts'
import type { Refused } from '../../apply/refusal.ts'
import { isOfRule } from '../../apply/refusal.ts'
import { canonical } from '../../api/canonical.ts'
import { renderVersion } from '../../render/appInstance.ts'
import { isCreated } from '../../status/appTask.ts'
import { commandForRule, withoutName } from '../../status/rules.ts'
import type { ObservedChild } from '../../status/observed.ts'
import { annotations, group, labels } from '../../api/meta.ts'
import { thereIs } from '../../api/similar.ts'
import { shortened } from '../../api/text.ts'
import type { Outcome } from '../../runtime/outcome.ts'
import { volumesFitTheirClaims } from './claims.ts'
import type { Observed } from './observe.ts'

/** Why a reconcile may not go on. */
export type Objection = Exclude<Outcome, { kind: 'settled' }>

type Gate = (seen: Observed) => Objection | undefined

const releaseLimitBytes = 256 * 1024

/** The checks in order; the first objection is what the user is told. */
const gates: readonly Gate[] = [
  namespaceIsNotForeign,
  releaseIsKnown,
  appExists,
  envExists,
  stackIsPublished,
  revisionExists,
  revisionIsOfTheStack,
  specResolves,
  volumesFitTheirClaims,
  referencesCanBeUsed,
  releaseIsSmallEnough,
  namespaceIsNotTerminating,
]

/** The first objection to acting on the spec; undefined when there is none. Pure. */
export function firstObjection(seen: Observed): Objection | undefined {
  for (const gate of gates) {
    const objection = gate(seen)
    if (objection) return objection
  }
  return undefined
}

/**
 * Whether the caches show too little to decide anything, or to say anything: the namespace whose uid a claim records, or
 * an AppInstance that is older than its own release (a standby that takes over may be behind). Its event wakes us; until
 * then nothing is written.
 */
export function viewIsIncomplete({ instance, projectUid, hubUid, releases }: Observed): Objection | undefined {
  const { namespace, name, generation = 0 } = instance.metadata
  const isBehind = (releases[0]?.spec.generation ?? 0) > generation
  if (projectUid !== '' && hubUid !== '' && !isBehind) return undefined
  const missing = isBehind ? `the newest AppInstance '${name}'` : `the namespaces '${namespace}' and 'kube-system'`
  return { kind: 'progressing', reason: 'Creating', message: `Waiting for ${missing} to be seen`, retryAfterSeconds: 1 }
}

/**
 * Whether a namespace is claimed by this very instance, and by no other cluster; an instance's uid is nobody else's, in
 * whatever project.
 */
export function isClaimedBy({ metadata }: ObservedChild, seen: Pick<Observed, 'instance' | 'hubUid'>): boolean {
  const { [annotations.instanceUid]: instance, [annotations.hubUid]: hub = seen.hubUid } = metadata.annotations ?? {}
  return instance === seen.instance.metadata.uid && hub === seen.hubUid
}

/**
 * Whether a namespace may become this instance's: it is, or an earlier instance of the name in the project claimed it. By
 * the recorded uids alone: a label gone is drift to repair. So is the uid of the project where that of the instance proves
 * the claim: when a project is made anew, its first uid can still be in view when the instance in it is.
 */
function isFree(namespace: ObservedChild, seen: Pick<Observed, 'instance' | 'projectUid' | 'hubUid'>): boolean {
  const { annotations: recorded } = namespace.metadata
  const isOfProject =
    recorded?.[annotations.projectUid] === seen.projectUid && recorded?.[annotations.hubUid] === seen.hubUid
  return isOfProject || isClaimedBy(namespace, seen) || isAdopted(namespace, seen)
}

/** Whether it was said by its recorded uid that just this namespace, of another hub or a former project, is to be taken over. */
function isAdopted(namespace: ObservedChild, seen: Pick<Observed, 'instance'>): boolean {
  const recorded = namespace.metadata.annotations?.[annotations.instanceUid]
  const asked = seen.instance.metadata.annotations?.[annotations.adopt]
  return asked !== undefined && asked === recorded && isUnproven(namespace, seen)
}

/** Whether a namespace says by its labels that it is this instance's, without the uids that would prove it. */
export function isUnproven({ metadata }: ObservedChild, { instance }: Pick<Observed, 'instance'>): boolean {
  return (
    metadata.labels?.[labels.instance] === instance.metadata.name &&
    metadata.labels?.[labels.project] === instance.metadata.namespace
  )
}

/** An objection when the namespace of the instance's name is not its own, and never will be. */
export function namespaceIsNotForeign(seen: Observed): Objection | undefined {
  const { namespace, instance } = seen
  if (!namespace || isFree(namespace, seen)) return undefined
  // That of a predecessor, on its way out, is waited for like any other of ours.
  if (namespace.metadata.deletionTimestamp !== undefined && isUnproven(namespace, seen)) return undefined
  const { name } = instance.metadata
  const { holder, way } = holderOf(namespace, seen)
  const message = `Namespace '${name}' belongs to ${holder} and is not touched${way}`
  // It had its namespace once: there is nothing to begin anew.
  return isCreated(seen)
    ? waitsFor('NamespaceTaken', 'Namespace', name, message)
    : { kind: 'failed', reason: 'NamespaceConflict', message }
}

/** Whether what is in the way is that the namespace is somebody else's. */
export function isForeign(objection: Objection | undefined): boolean {
  return objection?.reason === 'NamespaceConflict' || objection?.reason === 'NamespaceTaken'
}

/** Whose it is, and what can be done about that. */
function holderOf(namespace: ObservedChild, seen: Observed): { readonly holder: string; readonly way: string } {
  const { [labels.instance]: instance, [labels.project]: project } = namespace.metadata.labels ?? {}
  const { name, namespace: own } = seen.instance.metadata
  if (instance === undefined || project === undefined)
    return { holder: 'someone else', way: `; see kubectl describe namespace ${name}` }
  if (!isUnproven(namespace, seen)) {
    const way = `; see kubectl describe appinstance ${instance} -n ${project}`
    return { holder: `the AppInstance '${instance}' of project '${project}'`, way }
  }
  const recorded = namespace.metadata.annotations?.[annotations.instanceUid]
  const adopt = `kubectl annotate appinstance ${name} -n ${own} --overwrite ${annotations.adopt}=${recorded}`
  return {
    holder: `an instance of this name whose recorded uids (annotations ${group}/…-uid) are not this one's`,
    way: recorded === undefined ? '' : `; to take it over: ${adopt}, then try again`,
  }
}

/** Pods are rendered as the release's renderVersion says; one that we do not know is left to the operator that made it. */
function releaseIsKnown({ releases }: Observed): Objection | undefined {
  const newest = releases[0]
  if (!newest || newest.spec.renderVersion <= renderVersion) return undefined
  return waitsFor(
    'ReleaseFromNewerOperator',
    'AppRelease',
    newest.metadata.name,
    `Release ${newest.metadata.name} has renderVersion ${newest.spec.renderVersion}; this operator knows up to ${renderVersion}: upgrade the operator`,
  )
}

/** What pins an instance to a revision. */
export function moveCommand({ metadata: { name, namespace } }: AppInstance, revision = ''): string {
  const patch = JSON.stringify({ spec: { stack: { revision } } })
  return `kubectl patch appinstance ${name} -n ${namespace} --type=merge -p '${patch}'`
}

function appExists({ app, instance, similar }: Observed): Objection | undefined {
  if (app) return undefined
  const { namespace } = instance.metadata
  return waitsFor(
    'AppNotFound',
    'App',
    instance.spec.app,
    `No App '${instance.spec.app}' in namespace '${namespace}' (spec.app)${thereIs(similar)}; see kubectl get appsteadapps -n ${namespace}`,
  )
}

function envExists({ env, instance, similar }: Observed): Objection | undefined {
  if (env) return undefined
  const hint = "'kubectl get appenvs' lists those there are"
  return waitsFor(
    'EnvNotFound',
    'AppEnv',
    instance.spec.env,
    `No AppEnv '${instance.spec.env}' (spec.env)${thereIs(similar)}; ${hint}`,
  )
}

function stackIsPublished({
  app,
  stack = '',
  latest,
  awaitsRevision,
  instance,
  similar,
}: Observed): Objection | undefined {
  if (latest && (!awaitsRevision || instance.spec.stack?.revision !== undefined)) return undefined
  // What is there is published within the second: no reason to alarm anybody.
  if (awaitsRevision || app?.spec.stack.name === undefined) {
    const message = `The stack of App '${instance.spec.app}' is being published`
    return { kind: 'progressing', reason: 'Creating', message }
  }
  return waitsFor(
    'StackNotFound',
    'AppStack',
    stack,
    `No revision of the AppStack '${stack}' in namespace '${instance.metadata.namespace}', which App '${instance.spec.app}' names (spec.stack.name)${thereIs(similar)}; see kubectl get appstacks -n ${instance.metadata.namespace}`,
  )
}

function revisionExists({ revision, instance, releases, latest, similar }: Observed): Objection | undefined {
  if (revision) return undefined
  const { namespace } = instance.metadata
  const pinned = instance.spec.stack?.revision
  const missing = pinned ?? releases[0]?.spec.stackRevision ?? ''
  const where = pinned === undefined ? `of release ${releases[0]?.metadata.name}` : 'spec.stack.revision'
  return waitsFor(
    'RevisionNotFound',
    'AppStackRevision',
    missing,
    `No AppStackRevision '${missing}' in namespace '${namespace}' (${where})${thereIs(similar)}; to move to the newest: ${moveCommand(instance, latest?.metadata.name)}`,
  )
}

function revisionIsOfTheStack({ revision, stack, instance, latest }: Observed): Objection | undefined {
  if (!revision || revision.spec.stack === stack) return undefined
  return {
    kind: 'invalid',
    reason: 'RevisionOfOtherStack',
    field: 'spec.stack.revision',
    message: `spec.stack.revision is '${revision.metadata.name}', a revision of stack '${revision.spec.stack}', but App '${instance.spec.app}' uses stack '${stack}'; to move to its newest revision: ${moveCommand(instance, latest?.metadata.name)}`,
  }
}

function specResolves({ wanted }: Observed): Objection | undefined {
  const objection = wanted?.objections[0]
  return objection && { kind: 'invalid', ...objection }
}

function referencesCanBeUsed({ wanted }: Observed): Objection | undefined {
  const [obstacle] = wanted?.obstacles ?? []
  if (obstacle) return { kind: 'blocked', ...obstacle }
  const [unread] = wanted?.unread ?? []
  if (unread === undefined) return undefined
  return { kind: 'progressing', reason: 'Creating', message: `${unread} is being read`, retryAfterSeconds: 1 }
}

function releaseIsSmallEnough({ wanted }: Observed): Objection | undefined {
  const bytes = Buffer.byteLength(canonical([wanted?.services ?? [], wanted?.sources ?? []]))
  if (bytes <= releaseLimitBytes) return undefined
  return {
    kind: 'invalid',
    reason: 'ReleaseTooLarge',
    field: 'services',
    message: `The resolved services take ${bytes} bytes; at most ${releaseLimitBytes} are allowed: make files or variables smaller`,
  }
}

function namespaceIsNotTerminating({ namespace }: Observed): Objection | undefined {
  if (!namespace?.metadata.deletionTimestamp) return undefined
  const { name } = namespace.metadata
  return {
    kind: 'progressing',
    reason: 'NamespaceTerminating',
    message: `Namespace '${name}' of a predecessor is still being removed; waiting for it`,
  }
}

function waitsFor(
  reason: Extract<Objection, { kind: 'blocked' }>['reason'],
  kind: string,
  name: string,
  message: string,
): Objection {
  return { kind: 'blocked', reason, message, by: `${kind}/${name}` }
}

const ruleRetrySeconds = 30

/** Of the server's words, so that the command after them is always told whole. */
const refusalLimit = 600

/** What the API server refused: the spec is at fault, or rights, quota and policies of the cluster are. */
export function refusalOf(refused: Refused): Objection {
  const { desired, error, retryAfterSeconds = ruleRetrySeconds } = refused
  const { name, namespace = '' } = desired.object.metadata
  const command = commandForRule(error.message, namespace)
  const see = command === '' ? '' : `; see ${command}`
  const message = `The API server refused ${desired.type.kind} '${name}': ${shortened(withoutName(error.message), refusalLimit)}${see}`
  return isOfRule(error)
    ? { kind: 'progressing', reason: 'Forbidden', message, retryAfterSeconds }
    : { kind: 'invalid', reason: 'RefusedByServer', field: 'spec', message, retryAfterSeconds }
}
