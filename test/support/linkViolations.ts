import type { Violation } from './ruleViolations.ts'
import { stack, web } from './serviceViolations.ts'

/** Requests that break the CEL rules of links, and of what they are to. */

/** Each rule that holds on creation, broken. */
export const linkViolations: readonly Violation[] = [
  ...['api', 'jobs', 'web'].map((service) => ({
    rule: 'variables-of-links-earlier',
    sent: stack([
      { name: 'jobs', type: 'Worker' },
      { ...web, variables: [{ name: 'HOST', valueFrom: { link: { service, key: 'host' } } }] },
      { ...web, name: 'api' },
    ]),
    says: ['spec.services: ', 'valueFrom.link of a variable may name only a service that is listed earlier', '["web"]'],
  })),
  {
    rule: 'links-earlier',
    sent: stack([
      { ...web, links: [{ service: 'api', as: 'API' }] },
      { ...web, name: 'api' },
    ]),
    says: ['spec.services: ', 'links may name only services that are listed earlier', 'these name others: ["web"]'],
  },
  {
    rule: 'links-earlier',
    sent: stack([
      { name: 'jobs', type: 'Worker' },
      { ...web, links: [{ service: 'jobs', as: 'JOBS' }] },
    ]),
    says: ['and answer, so no Workers; these name others: ["web"]'],
  },
  {
    rule: 'reserved-link',
    sent: stack([web, { ...web, name: 'api', links: [{ service: 'web', as: 'APPSTEAD' }] }]),
    says: ['spec.services[1].links[0].as: ', "as 'APPSTEAD' may not be APPSTEAD", 'use another word'],
  },
  {
    rule: 'database-has-no-pods',
    sent: stack([web, { name: 'db', type: 'PostgreSQL', image: 'postgres:17', replicas: 2 }]),
    says: [
      'spec.services[1]: ',
      'service \'db\' is of type PostgreSQL, which runs elsewhere: remove ["image", "replicas"] here',
      'services: [{name: db, external: {secretName: …}}]',
    ],
  },
]
