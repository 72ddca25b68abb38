import { appTaskKind } from '../operator/api/appTask.ts'
import { namespaceType } from '../operator/api/builtin.ts'
import { annotations, group, labels } from '../operator/api/meta.ts'
import { isNotOperator, requestsFor, says, text, type Identity, type Policy } from './policy.ts'

/** The policies that keep others off what only the operator writes, and the operator off everything else. */

/** Accounts of Kubernetes itself that delete what is in a namespace, or what has lost its owner. */
const cleaners = ['namespace-controller', 'generic-garbage-collector'].map(
  (name) => `system:serviceaccount:kube-system:${name}`,
)

/** Objects that are records of the operator: by them it and the policies of the API server go. */
export function operatorRecords({ account }: Identity, resources: readonly string[]): Policy {
  const mayClean = `request.operation == 'DELETE' && request.userInfo.username in [${cleaners.map(text).join(', ')}]`
  return {
    id: 'records',
    why: 'Only the operator writes its own records.',
    when: 'always',
    actions: 'Deny',
    spec: {
      matchConstraints: requestsFor(resources, ['CREATE', 'UPDATE', 'DELETE']),
      validations: [
        {
          expression: `request.userInfo.username == ${text(account)} || (${mayClean})`,
          messageExpression: says(
            "%s '%s' is a record of the operator, which alone writes it; change the AppInstance instead: kubectl edit appinstance -n %s",
            'request.kind.kind',
            'request.name',
            'request.namespace',
          ),
          message: 'a record of the operator, which alone writes it; change the AppInstance instead',
          reason: 'Forbidden',
        },
      ],
    },
  }
}

/** By the other types of AppTask the operator records what it does; by them it knows what was given up. */
export function taskTypes(identity: Identity): Policy {
  return {
    id: 'task-types',
    why: 'Users ask for actions; creations and deletions are recorded by the operator alone.',
    when: 'always',
    actions: 'Deny',
    spec: {
      matchConstraints: requestsFor([appTaskKind.plural], ['CREATE']),
      matchConditions: [isNotOperator(identity)],
      validations: [
        {
          expression: "object.spec.type == 'Action'",
          messageExpression: says(
            "an AppTask of type '%s' is a record of the operator, which alone makes it; " +
              'ask for an action instead: spec: {instance: %s, type: Action, action: {service: …, name: …}}',
            'object.spec.type',
            'object.spec.instance',
          ),
          message: 'a record of the operator, which alone makes it; a task of yours must be of type Action',
          reason: 'Forbidden',
        },
      ],
    },
  }
}

const prefix = text(`${group}/`)

/** Whether every mark of ours in a map is in the other one too, and the same. */
const keeps = (from: string, to: string): string =>
  `variables.${from}.all(k, !k.startsWith(${prefix}) || (k in variables.${to} && variables.${to}[k] == variables.${from}[k]))`

const mapOf = (of: string, field: string): string => `${of}.metadata.?${field}.orValue({})`

/** By the marks on a namespace the operator knows whose it is. */
export function namespaceMarks(identity: Identity): Policy {
  const marks = ['labels', 'annotations']
  return {
    id: 'namespace-marks',
    why: `Only the operator writes labels and annotations ${group}/… of namespaces.`,
    when: 'always',
    actions: 'Deny',
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [namespaceType.group],
            apiVersions: [namespaceType.version],
            resources: ['', '/status', '/finalize'].map((part) => `${namespaceType.plural}${part}`),
            operations: ['CREATE', 'UPDATE'],
            scope: 'Cluster',
          },
        ],
      },
      matchConditions: [isNotOperator(identity)],
      variables: marks.flatMap((field) => [
        { name: field, expression: mapOf('object', field) },
        { name: `${field}Before`, expression: `oldObject == null ? {} : ${mapOf('oldObject', field)}` },
      ]),
      validations: marks.map((field) => ({
        expression: `${keeps(field, `${field}Before`)} && ${keeps(`${field}Before`, field)}`,
        messageExpression: says(
          `Namespace '%s': ${field} ${group}/… say whose it is, and only the operator writes them; leave them as they are: kubectl get namespace %s -o yaml`,
          'request.name',
          'request.name',
        ),
        message: `${field} ${group}/… of a namespace are written by the operator only`,
        reason: 'Forbidden',
      })),
    },
  }
}

/** Whether a namespace is an instance's: by a label, or, where that was taken away, by what is recorded. */
const isMarked = (namespace: string): string =>
  `(${text(labels.instance)} in ${namespace}.metadata.?labels.orValue({}) || ` +
  `${text(annotations.instanceUid)} in ${namespace}.metadata.?annotations.orValue({}))`

/** Whatever rights its account is given, the operator writes nowhere else. */
export function fence({ account, namespace }: Identity): Policy {
  const isNamespace = `request.resource.group == '' && request.resource.resource == '${namespaceType.plural}'`
  const ofNamespace = `request.operation == 'CREATE' ? ${isMarked('object')} : ${isMarked('oldObject')}`
  return {
    id: 'fence',
    why: 'The operator writes in its own group and namespace and in those of instances; besides only Events.',
    when: 'always',
    actions: 'Deny',
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['*'],
            apiVersions: ['*'],
            resources: ['*/*'],
            operations: ['*'],
            scope: '*',
          },
        ],
      },
      matchConditions: [
        { name: 'is-the-operator', expression: `request.userInfo.username == ${text(account)}` },
        { name: 'is-of-another-group', expression: `request.resource.group != ${text(group)}` },
        { name: 'is-elsewhere', expression: `request.?namespace.orValue('') != ${text(namespace)}` },
        {
          name: 'is-no-event',
          expression: "!(request.resource.resource == 'events' && request.resource.group in ['', 'events.k8s.io'])",
        },
      ],
      variables: [{ name: 'isOfInstance', expression: `namespaceObject != null && ${isMarked('namespaceObject')}` }],
      validations: [
        {
          expression: `(${isNamespace}) ? (${ofNamespace}) : variables.isOfInstance`,
          messageExpression: says(
            "The operator may not %s %s '%s' in namespace '%s', which is no instance's (label " +
              `${labels.instance}); see the policies of its chart: kubectl get validatingadmissionpolicies`,
            'request.operation',
            'request.kind.kind',
            "request.?name.orValue('')",
            "request.?namespace.orValue('')",
          ),
          message: 'the operator may write only in its own group and namespace and in those of instances',
          reason: 'Forbidden',
        },
      ],
    },
  }
}
