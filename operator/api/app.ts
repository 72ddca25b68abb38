import { z } from 'zod'
import { access } from './access.ts'
import { envType } from './appEnv.ts'
import { phase } from './appInstanceStatus.ts'
import { ageColumn, conditionColumn, type Kind } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { maxAppName, nameRules } from './names.ts'
import {
  conditionList,
  dnsLabel,
  listMap,
  dnsSubdomain,
  integer,
  listAtomic,
  next,
  observedGeneration,
  text,
  withRules,
  type Immutable,
} from './schema.ts'
import { serviceDefaults } from './service/override.ts'
import { imagePullSecrets, variablesFrom } from './service/references.ts'
import { stackServices } from './service/stackServices.ts'
import { variables } from './service/variables.ts'

const stack = withRules(
  z
    .strictObject({
      name: text('Name of an AppStack in this namespace. Takes effect with the next deployment.', {
        max: 63,
        min: 1,
        pattern: dnsLabel,
      }).optional(),
      services: stackServices.optional(),
    })
    .meta({
      description:
        'The services of the app: the name of an AppStack, or the services themselves. Which of the two is permanent; the content may change.',
    }),
  [
    {
      id: 'name-or-services',
      rule: 'has(self.name) != has(self.services)',
      message: 'exactly one of name and services must be set: the name of an AppStack, or the services themselves',
      messageExpression: `has(self.name) ? "name '" + self.name + "' and services may not both be set: remove one" : "name (of an AppStack) or services must be set"`,
      reason: 'FieldValueInvalid',
      holds: (value) => (value.name === undefined) !== (value.services === undefined),
    },
    {
      id: 'name-or-services-for-ever',
      rule: 'has(self.name) == has(oldSelf.name)',
      message: 'whether the stack is named or written here may not be changed; make a new App for that',
      messageExpression: `has(oldSelf.name) ? "the stack is the AppStack '" + oldSelf.name + "', and services may not take its place; make a new App for that" : "the services stand here, and name '" + self.name + "' may not take their place; make a new App for that"`,
      reason: 'FieldValueForbidden',
    },
  ],
)

const defaults = listAtomic(
  `What holds for the app's instances in environments of some types, at most 10; of several the later counts. ${next}`,
  z.strictObject({
    envTypes: listAtomic('Types of the AppEnvs, 1 to 5.', envType.meta({ description: 'Type of an AppEnv.' }), 5, 1),
    services: serviceDefaults,
  }),
  10,
)

const spec = z
  .strictObject({
    stack,
    variables: variables(
      `Environment variables of all services of all instances, at most 100. They win over those of the AppEnv and the stack of the same name. Not a Pod's env. ${next}`,
    ).optional(),
    variablesFrom: variablesFrom(
      `Secrets and ConfigMaps all keys of which become environment variables, at most 10. Later ones win, variables win over them. ${next}`,
    ).optional(),
    imagePullSecrets: imagePullSecrets.optional(),
    defaults: defaults.optional(),
    access: access.optional(),
  })
  .meta({ description: 'What the app is made of.' })

const instances = z
  .strictObject({
    total: integer('AppInstances of this app.', 0, 1_000_000),
    ready: integer('AppInstances of this app that are Ready.', 0, 1_000_000),
    summary: text('ready/total, such as 1/2; for people.', { max: 20 }),
    phases: listMap(
      'How many are in each phase, by phase; those that are not seen yet are in none.',
      z.strictObject({ phase, count: integer('AppInstances in it.', 1, 1_000_000) }),
      { key: 'phase', max: phase.options.length },
    ).optional(),
    attention: listMap(
      'Those that need somebody, at most 20, the worst first; absent when none does.',
      z.strictObject({
        name: text('Name of the AppInstance.', { max: 63, pattern: dnsLabel }),
        env: text('Its AppEnv.', { max: 253, pattern: dnsSubdomain }),
        phase,
        reason: text('Why it is not ready, in one CamelCase word.', { max: 128 }),
      }),
      { key: 'name', max: 20 },
    ).optional(),
  })
  .meta({ description: 'How many instances the app has.' })

const status = z
  .strictObject({
    conditions: conditionList,
    observedGeneration,
    latestRevision: text('Name of the newest AppStackRevision of its stack.', {
      max: 253,
      pattern: dnsSubdomain,
    }).optional(),
    instances: instances.optional(),
  })
  .meta({ description: 'What the operator has seen. Written by the operator only.' })

export type AppSpec = Immutable<z.output<typeof spec>>
export type AppStatus = Immutable<z.output<typeof status>>
export type App = ApiObject<AppSpec, AppStatus>

export const appKind: Kind = {
  group,
  version,
  kind: 'App',
  plural: 'appsteadapps',
  singular: 'appsteadapp',
  namespaced: true,
  description:
    'An application: the services it is made of. Nothing runs by itself; each AppInstance in the same namespace that names it is one deployment of it.',
  spec,
  status,
  rules: nameRules({
    kind: 'App',
    max: maxAppName,
    why: 'the name of its instances, which are namespaces, begins with it',
  }),
  columns: [
    {
      name: 'Stack',
      type: 'string',
      jsonPath: '.spec.stack.name',
      description: 'The AppStack; empty when the services stand in the App.',
    },
    {
      name: 'Revision',
      type: 'string',
      jsonPath: '.status.latestRevision',
      description: 'Newest AppStackRevision of the stack.',
    },
    {
      name: 'Instances',
      type: 'string',
      jsonPath: '.status.instances.summary',
      description: 'Ready instances of all instances.',
    },
    conditionColumn('Ready', 'Ready', 'status'),
    conditionColumn('Reason', 'Ready', 'reason', true),
    conditionColumn('Message', 'Ready', 'message', true),
    ageColumn,
  ],
  selectableFields: ['.spec.stack.name'],
}
