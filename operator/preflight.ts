import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { crdType } from './api/builtin.ts'
import type { Kind } from './api/kind.ts'
import { annotations, leaseName, type ResourceType } from './api/meta.ts'
import { listed } from './api/text.ts'
import { isKubeError } from './kube/errors.ts'
import type { PooledKubeClient } from './kube/restClient.ts'
import type { Grant } from './rights.ts'
import { leaseType, leaseVerbs } from './runtime/lease.ts'
import { isNewer } from './runtime/version.ts'

/** What must be so before the operator does anything: it waits, says in one line for what, and touches nothing. */

/** The oldest Kubernetes that it works on; Chart.yaml says the same. */
const oldest = 'v1.33.0'

const retrySeconds = 5

/** Of those that are missing; more are counted. */
const namedRights = 5

/** What is looked at. */
export interface Wanted {
  readonly client: Pick<PooledKubeClient, 'get' | 'create' | 'version'>
  readonly kinds: readonly Kind[]
  /** On all of the cluster. */
  readonly grants: readonly Grant[]
  /** The operator's own. */
  readonly namespace: string
  readonly version: string
  readonly log: Pick<Logger, 'error' | 'warn'>
}

export interface PreflightOptions extends Wanted {
  /** Ends the wait. */
  readonly signal: AbortSignal
  /** Told what is in the way, each time that was looked at; undefined when nothing is any more. */
  readonly onObjection: (objection: string | undefined) => void
}

/** Resolves when nothing is in the way, or when the signal ends it; never rejects. */
export async function preflight(options: PreflightOptions): Promise<void> {
  const { log, signal, onObjection } = options
  let told: string | undefined
  while (!signal.aborted) {
    const objection = await objectionNow(options)
    onObjection(objection)
    if (objection === undefined) return
    if (objection !== told) log.error({ objection }, 'Cannot start yet')
    told = objection
    await pause(retrySeconds * 1000, undefined, { signal }).catch(() => undefined)
  }
}

/** What is in the way now; undefined where nothing is. What cannot be found out is in the way, too: it never rejects. */
export async function objectionNow(options: Wanted): Promise<string | undefined> {
  try {
    return (
      (await objectionToServer(options)) ??
      (await objectionToRights(options)) ??
      (await objectionToDefinitions(options))
    )
  } catch (error) {
    return (error as Error).message
  }
}

/** That the API server is too old; undefined where it is not. Throws a KubeError. */
export async function objectionToServer({ client }: Pick<Wanted, 'client'>): Promise<string | undefined> {
  const version = await client.version()
  // What a distribution adds to it, such as v1.33.1-gke.100 or +k3s1, is no pre-release.
  const [plain = version] = /^v\d+\.\d+\.\d+/.exec(version) ?? []
  return isNewer(oldest, plain)
    ? `The API server is Kubernetes ${version}; Appstead needs ${oldest} or newer. Upgrade the cluster.`
    : undefined
}

/** That the CustomResourceDefinitions are not those of this version, or of one that it knows; undefined where they are. Throws a KubeError. */
export async function objectionToDefinitions({
  client,
  kinds,
  version,
  log,
}: Pick<Wanted, 'client' | 'kinds' | 'version' | 'log'>): Promise<string | undefined> {
  const missing: string[] = []
  const older: string[] = []
  for (const { plural, group } of kinds) {
    const name = `${plural}.${group}`
    try {
      const { metadata } = await client.get(crdType, { namespace: '', name })
      const bundle = metadata.annotations?.[annotations.bundleVersion] ?? ''
      if (isNewer(bundle, version))
        return `CustomResourceDefinition ${name} is of Appstead ${bundle}, and this operator is ${version}: it would lose what it does not know. Install the chart of ${bundle} or newer.`
      if (isNewer(version, bundle)) older.push(name)
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error
      missing.push(name)
    }
  }
  // As they are while somebody upgrades the one before the other.
  if (older.length > 0) log.warn({ older, version }, 'CustomResourceDefinitions are older than the operator')
  return missing.length === 0
    ? undefined
    : `CustomResourceDefinitions are missing: ${missing.join(', ')}. Apply those of the chart (crds.enabled does).`
}

const reviewType: ResourceType = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  namespaced: false,
}

interface ReviewedRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
}

interface Review {
  readonly status?: { readonly incomplete?: boolean; readonly resourceRules?: readonly ReviewedRule[] }
}

async function objectionToRights({ client, grants, namespace }: Wanted): Promise<string | undefined> {
  const { kind, group, version } = reviewType
  const asked = { apiVersion: `${group}/${version}`, kind, metadata: { name: '' }, spec: { namespace } }
  const { status } = (await client.create(reviewType, asked)) as Review
  // Another authorizer than RBAC has a say and tells nothing: what it refuses is told when it does.
  if (status?.incomplete === true) return undefined
  const rules = status?.resourceRules ?? []
  const lease = leaseVerbs.map((verb) => ({
    group: leaseType.group,
    resource: leaseType.plural,
    verb,
    only: leaseName,
  }))
  const missing = [...grants, ...lease].filter((grant) => !rules.some((rule) => allows(rule, grant)))
  if (missing.length === 0) return undefined
  const named = [...new Set(missing.map(({ verb, resource, group: of }) => `${verb} ${resource}${of && `.${of}`}`))]
  return `Rights are missing: ${listed(named, namedRights)}. The chart's ClusterRole, its Role in the namespace '${namespace}' and their bindings give them.`
}

const has = (list: readonly string[] | undefined, item: string): boolean =>
  list?.includes(item) === true || list?.includes('*') === true

function allows(
  rule: ReviewedRule,
  grant: Pick<Grant, 'group' | 'resource' | 'verb'> & { readonly only?: string },
): boolean {
  const names = rule.resourceNames ?? []
  const isNamed = names.length === 0 || (grant.only !== undefined && names.includes(grant.only))
  return (
    isNamed && has(rule.verbs, grant.verb) && has(rule.apiGroups, grant.group) && has(rule.resources, grant.resource)
  )
}
