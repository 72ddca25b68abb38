import { z } from 'zod'
import { ageColumn, conditionColumn, says, type Column, type Kind, type RootSelf, type Rule } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { maxAppName, maxInstanceName, nameRules } from './names.ts'
import { dnsLabel, dnsSubdomain, immutable, integer, next, text, withRules, type Immutable } from './schema.ts'
import { deletionPolicy, deletionProtection } from './deletion.ts'
import { appInstanceStatus as status, type AppInstanceStatus } from './appInstanceStatus.ts'
import { image } from './service/name.ts'
import { deploy } from './deploy.ts'
import { serviceOverrides } from './service/override.ts'
import { variablesFrom } from './service/references.ts'
import { variables } from './service/variables.ts'

/** Namespaces of the cluster and of the operator itself. */
const reservedNames = ['default', 'kube-system', 'kube-public', 'kube-node-lease', 'appstead-system']

const stackChoice = withRules(
  z
    .strictObject({
      revision: text(`Name of the AppStackRevision to run, such as shop-1.4 or shop-r4-1a2b3c. ${next}`, {
        max: 253,
        min: 1,
        pattern: dnsSubdomain,
      }).optional(),
      autoUpgrade: z
        .boolean()
        .optional()
        .meta({
          description: `Whether it moves to each new revision of its stack by itself. Default: that of its AppEnv, else false; never where the AppEnv is of type prod. ${next}`,
        }),
    })
    .meta({
      description: `Which revision of the stack it runs. Default: that of the newest AppRelease, at first the newest revision. ${next}`,
    }),
  [
    {
      id: 'revision-or-auto-upgrade',
      rule: '!has(self.revision) || !has(self.autoUpgrade) || !self.autoUpgrade',
      message: 'revision and autoUpgrade: true may not both be set: one pins a revision, the other follows the newest',
      messageExpression: says(
        "revision '%s' and autoUpgrade: true may not both be set: one pins a revision, the other follows the newest; remove one",
        'self.revision',
      ),
      fieldPath: '.autoUpgrade',
      reason: 'FieldValueInvalid',
      holds: ({ revision, autoUpgrade }) => revision === undefined || autoUpgrade !== true,
    },
  ],
)

const spec = z
  .strictObject({
    app: withRules(
      text('Name of the App in this namespace. Permanent; metadata.name begins with it and a dash.', {
        max: maxAppName,
        min: 1,
        pattern: dnsLabel,
      }),
      [immutable('immutable-app', 'spec.app')],
    ),
    env: withRules(text('Name of the AppEnv. Permanent.', { max: 63, min: 1, pattern: dnsLabel }), [
      immutable('immutable-env', 'spec.env'),
    ]),
    stack: stackChoice.optional(),
    image: image(
      `Image of the main service, such as ghcr.io/acme/shop:1.4. Default: that of the stack. ${next}`,
    ).optional(),
    replicas: integer(
      `How many copies of the main service run, 1 to 10. Default 1. A change of it alone takes effect as deploy.replicaChanges says.`,
      1,
      10,
    ).default(1),
    services: serviceOverrides.optional(),
    variables: variables(
      `Environment variables for every service, at most 100; win over all others of the same name. Not a Pod's env. ${next}`,
    ).optional(),
    variablesFrom: variablesFrom(
      `Secrets and ConfigMaps all keys of which become environment variables, at most 10. Later ones win, variables win over them. ${next}`,
    ).optional(),
    deletionPolicy: deletionPolicy(
      'Default: that of its AppEnv, else Retain where that is of type prod, and Delete elsewhere.',
    ).optional(),
    deletionProtection: deletionProtection(
      'Default: that of its AppEnv, else true where that is of type prod, and false elsewhere.',
    ).optional(),
    creationDeadlineSeconds: integer(
      'For how long what hinders the creation is waited for, such as a quota, before the instance is Errored: 5 to 86400. Default 600. Takes effect at once.',
      5,
      86_400,
    ).default(600),
    deletionDeadlineSeconds: integer(
      'For how long what is removed may take to go before the instance is Errored: 5 to 86400. Default 600. Takes effect at once.',
      5,
      86_400,
    ).default(600),
    deploy: deploy.optional(),
    suspend: z.boolean().optional().meta({
      description:
        'Whether every service goes to no replica until this is false again. Volumes, Secrets and Services stay; changes are accepted and wait. Takes effect at once. Default false.',
    }),
  })
  .meta({ description: 'What should run. The operator never writes it.' })

export type AppInstanceSpec = Immutable<z.output<typeof spec>>
export type { AppInstancePhase, AppInstanceStatus } from './appInstanceStatus.ts'
export type AppInstance = ApiObject<AppInstanceSpec, AppInstanceStatus>

const rules: readonly Rule<RootSelf<AppInstanceSpec>>[] = [
  {
    id: 'name-begins-with-app',
    rule: "self.metadata.name.startsWith(self.spec.app + '-')",
    message: 'metadata.name must begin with spec.app and a dash',
    messageExpression: says(
      "metadata.name '%s' must begin with spec.app and a dash, such as '%s-dev'",
      'self.metadata.name',
      'self.spec.app',
    ),
    fieldPath: '.metadata.name',
    reason: 'FieldValueInvalid',
    holds: ({ metadata, spec: { app } }) => metadata.name.startsWith(`${app}-`),
  },
  ...nameRules({ kind: 'AppInstance', max: maxInstanceName, why: "it is the name of the instance's namespace" }),
  {
    id: 'reserved-instance-name',
    rule: `!self.metadata.name.startsWith('kube-') && !(self.metadata.name in [${reservedNames.map((name) => `'${name}'`).join(', ')}])`,
    message: `metadata.name may not begin with kube- and may not be one of ${reservedNames.join(', ')}`,
    messageExpression: says(
      `metadata.name '%s' is a namespace of the cluster or the operator (kube-..., ${reservedNames.filter((name) => !name.startsWith('kube-')).join(', ')}); use another name`,
      'self.metadata.name',
    ),
    fieldPath: '.metadata.name',
    reason: 'FieldValueForbidden',
    holds: ({ metadata: { name } }) => !name.startsWith('kube-') && !reservedNames.includes(name),
  },
]

const statusColumn = (name: string, field: string, description: string, more: Partial<Column> = {}): Column => ({
  name,
  type: 'string',
  jsonPath: `.status.${field}`,
  description,
  ...more,
})

export const appInstanceKind: Kind = {
  group,
  version,
  kind: 'AppInstance',
  plural: 'appinstances',
  singular: 'appinstance',
  namespaced: true,
  description:
    'One deployment of an App, isolated in a namespace of its own that has the same name as the AppInstance. Lives in the namespace of its App.',
  spec,
  status,
  rules,
  columns: [
    { name: 'Env', type: 'string', jsonPath: '.spec.env', description: 'The AppEnv.' },
    statusColumn('Phase', 'phase', 'The conditions in one word.'),
    conditionColumn('Ready', 'Ready', 'status'),
    conditionColumn('Available', 'Available', 'status'),
    statusColumn('Replicas', 'counts.summary', 'Ready replicas of all replicas.'),
    statusColumn('Rev', 'stack.current', 'AppStackRevision that runs.'),
    statusColumn('Release', 'releaseSummary', 'Number of the release that runs, and of the one that failed.'),
    statusColumn('URL', 'url', 'Where the main service answers.'),
    statusColumn('Image', 'imageSummary', 'Image of the main service, and the one that is asked for.', { wide: true }),
    statusColumn('Pending', 'pendingSummary', 'Changes that wait for the next deployment.', { wide: true }),
    conditionColumn('Reason', 'Ready', 'reason', true),
    conditionColumn('Message', 'Ready', 'message', true),
    ageColumn,
  ],
  selectableFields: ['.status.phase', '.spec.app', '.spec.env'],
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
}
