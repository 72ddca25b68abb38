/** NetworkPolicies as rules of nftables, for a node whose network enforces none. */

type Labels = Readonly<Record<string, string>>

interface Selector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string }[]
}

interface Peer {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
}

/** As far as they are understood here. */
export interface NetworkPolicy {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: {
    readonly podSelector: Selector
    readonly policyTypes: readonly string[]
    readonly ingress?: readonly {
      readonly from?: readonly Peer[]
      readonly ports?: readonly { readonly port: number | string; readonly protocol: string }[]
    }[]
  }
}

export interface Namespace {
  readonly metadata: { readonly name: string; readonly labels?: Labels }
}

export interface Pod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels?: Labels }
  readonly spec: {
    readonly containers: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[]
    }[]
  }
  readonly status: { readonly podIP?: string }
}

/** What there is: a snapshot, in which each pod has its address. */
export interface World {
  readonly policies: readonly NetworkPolicy[]
  readonly namespaces: readonly Namespace[]
  readonly pods: readonly Pod[]
}

/** The table that all rules are in: to be deleted when they are to be forgotten. */
export const policyTable = 'ip test_policies'

/**
 * What nft is told on a node through which all traffic between pods is routed.
 * In: what there is. Out: for each pod that a policy selects the connections that it takes; all others are dropped, what
 * is under way goes on. Throws for a policy that says something it does not understand: it never lets one pass in part.
 */
export function rulesOf(world: World): string {
  for (const policy of world.policies) mustBeUnderstood(policy)
  const rules = world.pods.flatMap((pod) => rulesTo(pod, world))
  return [
    `table ${policyTable} {`,
    '  chain forward {',
    '    type filter hook forward priority filter; policy accept;',
    '    ct state established,related accept',
    ...rules.map((rule) => `    ${rule}`),
    '  }',
    '}',
    '',
  ].join('\n')
}

function rulesTo(pod: Pod, world: World): string[] {
  const policies = world.policies.filter(
    ({ metadata, spec }) => metadata.namespace === pod.metadata.namespace && matches(spec.podSelector, pod.metadata),
  )
  if (policies.length === 0) return []
  const ingress = policies.flatMap(({ metadata, spec }) =>
    (spec.ingress ?? []).map((rule) => ({ ...rule, namespace: metadata.namespace })),
  )
  const to = `ip daddr ${addressOf(pod)}`
  const accepts = ingress.flatMap(({ namespace, from, ports }) => {
    const sources = from && world.pods.filter((each) => from.some((peer) => isPeer(peer, each, namespace, world)))
    if (sources?.length === 0) return []
    const source = sources ? ` ip saddr { ${sources.map(addressOf).join(', ')} }` : ''
    return (ports ?? [undefined]).map((port) => `${to}${source}${port ? portOf(port, pod) : ''} accept`)
  })
  return [...accepts, `${to} drop`]
}

function isPeer({ podSelector, namespaceSelector }: Peer, pod: Pod, own: string, { namespaces }: World): boolean {
  const { namespace } = pod.metadata
  const found = namespaces.find(({ metadata }) => metadata.name === namespace)
  if (!found) throw new Error(`no namespace ${namespace} of pod ${pod.metadata.name}`)
  const isThere = namespaceSelector ? matches(namespaceSelector, found.metadata) : namespace === own
  return isThere && (podSelector === undefined || matches(podSelector, pod.metadata))
}

function matches({ matchLabels = {}, matchExpressions = [] }: Selector, { labels = {} }: { labels?: Labels }): boolean {
  const areEqual = Object.entries(matchLabels).every(([key, value]) => labels[key] === value)
  return (
    areEqual && matchExpressions.every(({ key, operator }) => (operator === 'Exists') === Object.hasOwn(labels, key))
  )
}

function portOf({ port, protocol }: { port: number | string; protocol: string }, pod: Pod): string {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? [])
  const number = typeof port === 'number' ? port : ports.find(({ name }) => name === port)?.containerPort
  if (number === undefined) throw new Error(`pod ${pod.metadata.name} has no port ${port}`)
  return ` ${protocol.toLowerCase()} dport ${number}`
}

function addressOf({ metadata, status }: Pod): string {
  if (status.podIP === undefined) throw new Error(`pod ${metadata.namespace}/${metadata.name} has no address yet`)
  return status.podIP
}

const known = {
  spec: ['podSelector', 'policyTypes', 'ingress'],
  rule: ['from', 'ports'],
  peer: ['podSelector', 'namespaceSelector'],
  port: ['port', 'protocol'],
  selector: ['matchLabels', 'matchExpressions'],
  operators: ['Exists', 'DoesNotExist'],
}

function mustBeUnderstood({ metadata, spec }: NetworkPolicy): void {
  const must = (are: readonly string[], among: readonly string[]): void => {
    const strange = are.find((each) => !among.includes(each))
    if (strange !== undefined) throw new Error(`NetworkPolicy ${metadata.namespace}/${metadata.name}: ${strange}?`)
  }
  const mustSelect = (selector: Selector): void => {
    must(Object.keys(selector), known.selector)
    must(
      (selector.matchExpressions ?? []).map(({ operator }) => operator),
      known.operators,
    )
  }
  must(Object.keys(spec), known.spec)
  must(spec.policyTypes, ['Ingress'])
  mustSelect(spec.podSelector)
  for (const rule of spec.ingress ?? []) {
    must(Object.keys(rule), known.rule)
    for (const port of rule.ports ?? []) must(Object.keys(port), known.port)
    for (const peer of rule.from ?? []) {
      must(Object.keys(peer), known.peer)
      for (const selector of Object.values(peer)) mustSelect(selector as Selector)
    }
  }
}
