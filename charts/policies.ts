import { appEnvKind } from '../operator/api/appEnv.ts'
import { appInstanceKind } from '../operator/api/appInstance.ts'
import { appLockKind, locksName } from '../operator/api/appLock.ts'
import { appReleaseKind } from '../operator/api/appRelease.ts'
import { podType } from '../operator/api/builtin.ts'
import { kinds } from '../operator/api/kinds.ts'
import { annotations, labels } from '../operator/api/meta.ts'
import { alwaysEditable, isThere, operationList, type Way } from '../operator/api/operations.ts'
import { fence, namespaceMarks, operatorRecords, taskTypes } from './fence.ts'
import {
  both,
  instances,
  isNotOperator,
  requestsFor,
  says,
  text,
  type Condition,
  type Identity,
  type Policy,
} from './policy.ts'
import { protectedInstances } from './protection.ts'

/**
 * The policies that the API server enforces by itself, also while no operator runs: those of the column Errored of the
 * table of operations, and the fences. charts/policyTemplate.ts prints them.
 */

/** What may be done, in the words of the table, that a policy refuses while the instance is Errored. */
const refusedWays: readonly Way[] = operationList
  .filter(([, { verdicts }]) => verdicts.Errored === 'no')
  .flatMap(([, { ways }]) => ways.filter((way) => isThere(way, kinds)))

/** Every policy, for an operator with this identity. */
export function makePolicies(identity: Identity): readonly Policy[] {
  return [
    ...both((who) => lockedSpec(identity, who)),
    ...both((who) => lockedScale(identity, who)),
    ...lockedCreations(identity),
    taskTypes(identity),
    lockedPods(),
    ...protectedInstances(),
    replicasWarning(),
    scaleWarning(),
    operatorRecords(identity, recordsOf()),
    namespaceMarks(identity),
    fence(identity),
  ]
}

/** The subresources and kinds that only the operator writes. */
function recordsOf(): readonly string[] {
  const statuses = kinds.filter(({ kind }) => kind === 'AppTask').map(({ plural }) => `${plural}/status`)
  return [appLockKind.plural, appReleaseKind.plural, `${appReleaseKind.plural}/status`, ...statuses]
}

type Who = Parameters<Parameters<typeof both>[0]>[0]

const locks = { kind: appLockKind.kind, name: locksName }

/** Of the instance that is changed; empty when it is not locked. */
const lock = { name: 'lock', expression: 'params.spec.locked.filter(l, l.uid == object.metadata.uid)' }

const name = 'object.metadata.name'
const project = 'object.metadata.namespace'

/** Object, cause, next command; `what` is what is not done. What is on its way can only be let go. */
function lockedMessage(what: string, instance = name, namespace = project): string {
  const [first, object] = ['variables.lock[0]', [instance, namespace]]
  const begin = `AppInstance '%s' is Errored (%s, %s since %s): ${what}. See why: kubectl describe appinstance %s -n %s. `
  const known = [instance, `${first}.class`, `${first}.reason`, `${first}.since`, ...object]
  const annotate = 'kubectl annotate appinstance %s -n %s --overwrite'
  const remove = `${begin}Let it go and leave the rest behind: ${annotate} ${annotations.forceDelete}=%s`
  const create = `${begin}Try again: ${annotate} ${annotations.retry}=after-%s; or give up: kubectl delete appinstance %s -n %s`
  return [
    `${first}.class == 'Cleanup'`,
    `? ${says(remove, ...known, ...object, `${first}.uid`)}`,
    `: ${says(create, ...known, ...object, `${first}.since`, ...object)}`,
  ].join(' ')
}

const isNotLocked = (messageExpression: string) => [
  {
    expression: 'size(variables.lock) == 0',
    messageExpression,
    message: 'the AppInstance is Errored',
    reason: 'Forbidden',
  },
]

/** Fields of the spec that say what runs. */
const deployable = Object.keys(appInstanceKind.spec.shape).filter((field) => !alwaysEditable.includes(field))

const isSame = (field: string): string => `object.spec.?${field} == oldObject.spec.?${field}`

const retry = text(annotations.retry)
const tokenOf = (of: string): string => `${of}.metadata.?annotations[?${retry}]`

/** A change of what runs: stored for GitOps controllers, whose whole application would fail with it, refused to people. */
function lockedSpec(identity: Identity, { id, condition, actions }: Who): Policy {
  return {
    id: `locked-spec-${id}`,
    why: `An Errored instance's spec is locked: ${operationList[0]![1].title}. A request with a new retry token passes.`,
    when: 'errored',
    actions,
    params: locks,
    spec: {
      matchConstraints: instances(['UPDATE']),
      matchConditions: [
        isNotOperator(identity),
        condition,
        { name: 'changes-what-runs', expression: `!(${deployable.map(isSame).join(' && ')})` },
        // One that is taken away asks for nothing.
        {
          name: 'asks-for-no-retry',
          expression: `!${tokenOf('object')}.hasValue() || ${tokenOf('object')} == ${tokenOf('oldObject')}`,
        },
      ],
      variables: [lock],
      validations: isNotLocked(lockedMessage(wordsFor(id, 'its spec is locked', 'the change is stored, not acted on'))),
    },
  }
}

/** A policy on the resource alone lets `kubectl scale` through. */
function lockedScale(identity: Identity, { id, condition, actions }: Who): Policy {
  return {
    id: `locked-scale-${id}`,
    why: 'The same, for kubectl scale: the scale subresource.',
    when: 'errored',
    actions,
    params: locks,
    spec: {
      matchConstraints: instances(['UPDATE'], '/scale'),
      matchConditions: [isNotOperator(identity), condition, changesReplicas],
      variables: [lock],
      validations: isNotLocked(lockedMessage(wordsFor(id, 'it is not scaled', 'the change is stored, not acted on'))),
    },
  }
}

function wordsFor(id: Who['id'], people: string, accounts: string): string {
  return id === 'people' ? people : accounts
}

const changesReplicas: Condition = {
  name: 'changes-replicas',
  expression: 'object.spec.?replicas != oldObject.spec.?replicas',
}

/** New objects that name a locked instance; of those that only the operator makes another policy keeps all others off. */
function lockedCreations(identity: Identity): readonly Policy[] {
  const made = refusedWays.flatMap((way) => (way.by === 'create' && !way.onlyOperator ? [way.kind] : []))
  const resources = kinds.filter(({ kind }) => made.includes(kind)).map(({ plural }) => plural)
  if (resources.length === 0) return []
  const ofObject = 'l.uid == object.spec.?instanceUid.orValue("") || l.name == object.spec.?instance.orValue("")'
  return [
    {
      id: 'locked-creations',
      why: 'Nothing new is begun for an Errored instance.',
      when: 'errored',
      actions: 'Deny',
      params: locks,
      spec: {
        matchConstraints: requestsFor(resources, ['CREATE']),
        matchConditions: [isNotOperator(identity)],
        variables: [{ ...lock, expression: `params.spec.locked.filter(l, ${ofObject})` }],
        validations: isNotLocked(
          lockedMessage('nothing new is begun for it', 'variables.lock[0].name', 'request.namespace'),
        ),
      },
    },
  ]
}

const labelOf = (key: string): string => `namespaceObject.metadata.labels[?${text(key)}].orValue("")`

/** Connections into the pods of an instance that is Errored. */
function lockedPods(): Policy {
  const subresources = refusedWays.flatMap((way) =>
    way.by === 'connect' ? [`${podType.plural}/${way.subresource}`] : [],
  )
  const [instance, namespace, reason] = [labels.instance, labels.project, labels.locked].map(labelOf) as [
    string,
    string,
    string,
  ]
  return {
    id: 'locked-pods',
    why: 'Nobody connects to the pods of an Errored instance. Logs are no connection: they are kept off by our tools only.',
    when: 'errored',
    actions: 'Deny',
    spec: {
      matchConstraints: {
        namespaceSelector: { matchExpressions: [{ key: labels.locked, operator: 'Exists' }] },
        resourceRules: [
          {
            apiGroups: [podType.group],
            apiVersions: [podType.version],
            resources: subresources,
            operations: ['CONNECT'],
            scope: 'Namespaced',
          },
        ],
      },
      validations: [
        {
          expression: 'false',
          messageExpression: says(
            "AppInstance '%s' is Errored (%s): nobody may connect to its pods. See why: kubectl describe appinstance %s -n %s; " +
              'what pods wrote: kubectl logs %s -n %s',
            instance,
            reason,
            instance,
            namespace,
            'request.name',
            'request.namespace',
          ),
          message: 'the AppInstance is Errored: nobody may connect to its pods',
          reason: 'Forbidden',
        },
      ],
    },
  }
}

const waits =
  'takes effect with the next deployment; what is pending, and how to have it now: kubectl get appinstance %s -n %s -o wide'

/** So that the terminal says what the status says a moment later. */
function replicasWarning(): Policy {
  const others = deployable.filter((field) => field !== 'replicas')
  const ofEnv = "params.spec.?defaults.?deploy.?replicaChanges.orValue('')"
  const isAtOnce = `object.spec.?deploy.?replicaChanges.orValue(${ofEnv}) == 'Immediate'`
  return {
    id: 'replicas',
    why: 'A change of the number of replicas alone waits for the next deployment, unless the instance or its AppEnv says otherwise.',
    when: 'always',
    actions: 'Warn',
    params: { kind: appEnvKind.kind },
    spec: {
      matchConstraints: instances(['UPDATE']),
      matchConditions: [changesReplicas, { name: 'changes-nothing-else', expression: others.map(isSame).join(' && ') }],
      validations: [
        {
          expression: `params.metadata.name != object.spec.env || ${isAtOnce}`,
          messageExpression: says(
            `AppInstance '%s': the change of spec.replicas from %d to %d ${waits}`,
            name,
            'oldObject.spec.replicas',
            'object.spec.replicas',
            name,
            project,
          ),
          message: 'a change of spec.replicas alone takes effect with the next deployment',
        },
      ],
    },
  }
}

/** A Scale does not say how the instance is deployed. */
function scaleWarning(): Policy {
  return {
    id: 'scale',
    why: 'The same, for kubectl scale.',
    when: 'always',
    actions: 'Warn',
    spec: {
      matchConstraints: instances(['UPDATE'], '/scale'),
      matchConditions: [changesReplicas],
      validations: [
        {
          expression: 'false',
          messageExpression: says(
            `AppInstance '%s': unless spec.deploy.replicaChanges, its own or of its AppEnv, is Immediate, the change from %d to %d replicas ${waits}`,
            name,
            'oldObject.spec.replicas',
            'object.spec.replicas',
            name,
            project,
          ),
          message: 'a change of the number of replicas alone takes effect with the next deployment',
        },
      ],
    },
  }
}
