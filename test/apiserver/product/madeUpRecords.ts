import { apiVersion } from '../../../operator/api/meta.ts'
import type { Anything } from '../../support/hands.ts'

/** A release of the instance, as somebody might make it up. */
export function madeUpRelease({ metadata: { namespace, name, uid } }: Anything): object {
  const service = { name: 'web', type: 'Web', main: true, image: 'hello:1', ports: [], variables: [], files: [] }
  const rollout = { progressDeadlineSeconds: 300, drainSeconds: 10, terminationGracePeriodSeconds: 30 }
  return {
    apiVersion,
    kind: 'AppRelease',
    metadata: { namespace, name: `${name}-r99` },
    spec: {
      instance: name,
      instanceUid: uid,
      number: 99,
      stackRevision: 'shop-r1-abcdef',
      generation: 1,
      renderVersion: 1,
      cause: 'made up',
      services: [{ ...service, resources: {}, replicas: 1, rollout, generatedSecrets: [] }],
    },
  }
}

/** A request to run an action of the instance, as a user makes it. */
export function askedFor({ metadata: { namespace, name } }: Anything, action = 'seed', more: object = {}): object {
  const spec = { instance: name, type: 'Action', action: { service: 'web', name: action }, ...more }
  return { apiVersion, kind: 'AppTask', metadata: { namespace, generateName: `${action}-` }, spec }
}

/** A try to create the instance, as somebody might make it up. */
export function madeUpTask({ metadata: { namespace, name, uid } }: Anything): object {
  const spec = { instance: name, instanceUid: uid, type: 'Create', attempt: 99, cause: 'made up' }
  return { apiVersion, kind: 'AppTask', metadata: { namespace, name: `${name}-create-99` }, spec }
}
