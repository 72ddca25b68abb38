import { appInstanceKind } from '../operator/api/appInstance.ts'
import { group, version } from '../operator/api/meta.ts'

/** What policies are made of: pieces of CEL and of a ValidatingAdmissionPolicy. */

/** Whom policies except or hold: the operator. */
export interface Identity {
  /** The user name of its account. */
  readonly account: string
  /** Its own namespace. */
  readonly namespace: string
}

export type Fields = Readonly<Record<string, unknown>>

export interface Condition {
  readonly name: string
  readonly expression: string
}

/** What comes of it when a request does not pass; `people` and `accounts` are a setting's answer for these. */
export type Actions = 'Deny' | 'Warn' | 'people' | 'accounts'

/** Objects of a kind of ours that a policy reads: the one of this name in the namespace of the request, else each by itself. */
export interface Params {
  readonly kind: string
  readonly name?: string
}

/** A ValidatingAdmissionPolicy with its binding, before it is printed. */
export interface Policy {
  /** The last part of its name. */
  readonly id: string
  /** One sentence for whoever reads the chart. */
  readonly why: string
  /** `errored`: left out when the setting policies.errored is Off. */
  readonly when: 'always' | 'errored'
  readonly actions: Actions
  /** What it reads besides the request; where there is none of it, everything passes. */
  readonly params?: Params
  /** Of the policy, but for paramKind and failurePolicy. */
  readonly spec: Fields & { readonly matchConditions?: readonly Condition[] }
}

/** A string of CEL. */
export function text(value: string): string {
  return `'${value}'`
}

/** A messageExpression that fills `template` (%s, %d) with expressions. */
export function says(template: string, ...expressions: readonly string[]): string {
  return `"${template}".format([${expressions.join(', ')}])`
}

/** Which requests a policy sees: these operations on resources, or subresources, of our group. */
export function requestsFor(resources: readonly string[], operations: readonly string[]): Fields {
  return {
    resourceRules: [{ apiGroups: [group], apiVersions: [version], resources, operations, scope: 'Namespaced' }],
  }
}

/** Those on AppInstances, or on one of their subresources, such as '/scale'. */
export function instances(operations: readonly string[], subresource = ''): Fields {
  return requestsFor([`${appInstanceKind.plural}${subresource}`], operations)
}

/** Holds for everybody but the operator. */
export function isNotOperator({ account }: Identity): Condition {
  return { name: 'is-not-the-operator', expression: `request.userInfo.username != ${text(account)}` }
}

/** Whom a policy is about: people, or the accounts of programs, GitOps controllers above all. */
interface Who {
  readonly id: 'people' | 'accounts'
  readonly condition: Condition
  readonly actions: Actions
}

const isAccount = "'system:serviceaccounts' in request.userInfo.?groups.orValue([])"

/** The same policy for people and for service accounts. */
export function both(make: (who: Who) => Policy): readonly Policy[] {
  return [
    make({ id: 'people', condition: { name: 'is-a-person', expression: `!(${isAccount})` }, actions: 'people' }),
    make({ id: 'accounts', condition: { name: 'is-a-service-account', expression: isAccount }, actions: 'accounts' }),
  ]
}
