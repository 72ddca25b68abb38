import type { AccessRole } from '../operator/api/access.ts'
import { reading, ruleOf, writing, type Rule } from './rbac.ts'

/** What the roles allow that an App's `access` gives in the namespaces of its instances. */

/** Everything of an instance that tells no secret, by group. */
const seen: Readonly<Record<string, readonly string[]>> = {
  '': [
    'configmaps',
    'endpoints',
    'events',
    'persistentvolumeclaims',
    'pods',
    'resourcequotas',
    'serviceaccounts',
    'services',
  ],
  apps: ['deployments', 'replicasets'],
  autoscaling: ['horizontalpodautoscalers'],
  batch: ['jobs'],
  'discovery.k8s.io': ['endpointslices'],
  'events.k8s.io': ['events'],
  'networking.k8s.io': ['networkpolicies'],
  policy: ['poddisruptionbudgets'],
}

/** Made by Kubernetes itself, not by hand; or what the environment sets. */
const reported = new Set(['endpoints', 'endpointslices', 'events', 'replicasets', 'resourcequotas'])

/** The rules of a role: each allows what the one before it does, and more. */
export function accessRulesOf(role: AccessRole): readonly Rule[] {
  return rules[role]
}

const kindsSeen = Object.entries(seen).flatMap(([group, resources]) =>
  resources.map((resource) => [group, resource] as const),
)

const viewer = kindsSeen.map(([group, resource]) => ruleOf(group, resource, reading, 'seen'))

const editor = [
  ...viewer,
  ruleOf('', 'pods/log', ['get'], 'logs'),
  // A connection is opened by GET or by POST, as the client likes.
  ...['attach', 'exec', 'portforward'].map((way) =>
    ruleOf('', `pods/${way}`, ['get', 'create'], 'shells and forwarded ports'),
  ),
  ruleOf('', 'pods', ['delete'], 'a replica is ended; another one is made'),
]

const admin = [
  ...editor,
  ruleOf('', 'secrets', [...reading, ...writing], 'changed'),
  ...kindsSeen
    .filter(([, resource]) => !reported.has(resource))
    .map(([group, resource]) => ruleOf(group, resource, writing, 'changed')),
]

const rules: Readonly<Record<AccessRole, readonly Rule[]>> = { Viewer: viewer, Editor: editor, Admin: admin }
