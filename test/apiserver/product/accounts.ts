import { collectionPath } from '../../../operator/kube/paths.ts'
import { typeOf } from '../../support/hands.ts'
import type { World } from './world.ts'

/** Admission that lets the operator make no ServiceAccount for this test's instance: its creation comes to no end. */

/** What the API server says then. */
export const accountsRefusal = 'no accounts before the audit'

/** The fence would refuse the operator itself in a project. */
const prober = { user: 'prober', groups: ['system:masters'] }

/** From now on the API server takes no account of the operator in the instance's namespace. */
export async function refuseAccounts(world: World): Promise<void> {
  const { hands, namespace, instance, operator, operatorUser } = world
  const policy = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: instance } }
  const rule = {
    apiGroups: [''],
    apiVersions: ['v1'],
    resources: ['serviceaccounts'],
    operations: ['CREATE', 'UPDATE'],
  }
  await hands.apply({
    ...policy,
    kind: 'ValidatingAdmissionPolicy',
    spec: {
      matchConstraints: { resourceRules: [rule] },
      matchConditions: [{ name: 'ours', expression: `request.namespace in ['${instance}', '${namespace}']` }],
      validations: [
        {
          expression: `!(request.userInfo.username in ['${operatorUser}', '${prober.user}'])`,
          message: accountsRefusal,
        },
      ],
    },
  })
  const spec = { policyName: instance, validationActions: ['Deny'] }
  await hands.apply({ ...policy, kind: 'ValidatingAdmissionPolicyBinding', spec })
  await operator.until('the policy is in force', async () => (await tryAccount(world)).includes(accountsRefusal))
}

/** What the API server answers to an account in the project; nothing is stored. */
async function tryAccount({ hands, namespace }: World): Promise<string> {
  const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'probe' } }
  const path = `${collectionPath(typeOf('ServiceAccount'), namespace)}?dryRun=All`
  return JSON.stringify((await hands.admin({ method: 'POST', path, body, as: prober })).body)
}

/** It takes them again. */
export async function allowAccounts(world: World): Promise<void> {
  const { hands, instance } = world
  for (const kind of ['ValidatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicy']) {
    if (await hands.find(kind, { namespace: '', name: instance }))
      await hands.remove(kind, { namespace: '', name: instance })
  }
  await world.operator.until('no policy is in force', async () => !(await tryAccount(world)).includes(accountsRefusal))
}
