import type { Violation } from './ruleViolations.ts'
import { stack, web } from './serviceViolations.ts'

/** Requests that break the CEL rules of a service's volumes. */

const twice = { name: 'data', size: '1Gi', existingClaim: 'old' }

/** Each rule that holds on creation, broken. */
export const volumeViolations: readonly Violation[] = [
  {
    rule: 'volume-path-taken',
    sent: stack([{ ...web, volumes: [{ name: 'data', path: '/tmp', size: '1Gi' }] }]),
    says: ['spec.services[0].volumes[0].path: ', "'/tmp' is taken", 'use another path'],
  },
  {
    rule: 'size-or-existing-claim',
    sent: stack([{ ...web, volumes: [{ name: 'data', path: '/data' }] }]),
    says: ['spec.services[0].volumes[0]: ', "volume 'data' must have a size, such as 10Gi, or name an existingClaim"],
  },
  {
    rule: 'size-or-existing-claim',
    sent: stack([{ ...web, volumes: [{ name: 'data', path: '/data', size: '1Gi', existingClaim: 'old' }] }]),
    says: ["volume 'data' may not have both size '1Gi' and existingClaim 'old': remove one"],
  },
  {
    rule: 'existing-claim-has-its-class',
    sent: stack([
      { ...web, volumes: [{ name: 'data', path: '/data', existingClaim: 'old', storageClassName: 'fast' }] },
    ]),
    says: [
      'spec.services[0].volumes[0].storageClassName: ',
      "storageClassName 'fast' may not stand beside existingClaim 'old'",
    ],
  },
  {
    rule: 'existing-claim-alone',
    sent: {
      kind: 'AppInstance',
      name: 'hello-dev',
      spec: { app: 'hello', env: 'dev', services: [{ name: 'web', volumes: [twice] }] },
    },
    says: ['spec.services[0].volumes[0].existingClaim: ', "volume 'data' may not have size", "existingClaim 'old'"],
  },
  {
    rule: 'existing-claim-alone',
    sent: {
      kind: 'App',
      name: 'hello',
      spec: {
        stack: { services: [web] },
        defaults: [{ envTypes: ['dev'], services: [{ name: 'web', volumes: [twice] }] }],
      },
    },
    says: ['spec.defaults[0].services[0].volumes[0].existingClaim: '],
  },
  {
    rule: 'unique-volume-paths',
    sent: stack([
      {
        ...web,
        volumes: [
          { name: 'a', path: '/data', size: '1Gi' },
          { name: 'b', path: '/data', size: '1Gi' },
        ],
      },
    ]),
    says: ['spec.services[0].volumes: ', "'/data' is the path of more than one volume"],
  },
  {
    rule: 'volume-not-in-file',
    sent: stack([
      { ...web, files: [{ path: '/data', content: '' }], volumes: [{ name: 'a', path: '/data/a', size: '1Gi' }] },
    ]),
    says: [
      'spec.services[0].volumes: ',
      "volume '/data/a' may not be mounted at or below the path of a file of service 'web'",
    ],
  },
]
