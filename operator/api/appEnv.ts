import { z } from 'zod'
import { deletionPolicy, deletionProtection } from './deletion.ts'
import { deploy } from './deploy.ts'
import { ageColumn, conditionColumn, type Kind } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { nameRules } from './names.ts'
import { quota } from './quota.ts'
import { conditionList, immutable, next, observedGeneration, withRules, type Immutable } from './schema.ts'
import { resourcesOf } from './service/resources.ts'
import { plainVariables } from './service/variables.ts'

export const envType = z.enum(['prod', 'staging', 'dev', 'test', 'feature'])

const permanentType = withRules(
  envType.meta({
    description:
      'What the environment is for: prod, staging, dev, test or feature. Permanent; told to replicas as APPSTEAD_ENV_TYPE.',
  }),
  [immutable('immutable-type', 'spec.type')],
)

const defaults = z
  .strictObject({
    autoUpgrade: z.boolean().optional().meta({
      description:
        'Whether instances that pin no revision move to each new one of their stack by themselves. Default false; never in an environment of type prod.',
    }),
    deploy: deploy.optional(),
    deletionPolicy: deletionPolicy('Default: Retain in an environment of type prod, else Delete.').optional(),
    deletionProtection: deletionProtection('Default: true in an environment of type prod, else false.').optional(),
    resources: resourcesOf(
      `CPU and memory of each replica, for services that say neither request nor limit of the one or the other. ${next}`,
    ).optional(),
    quota: quota.optional(),
  })
  .meta({
    description:
      'What holds for instances in the environment that do not say otherwise. A change takes effect at once; one of resources is deployed, or pending, as one of a stack is.',
  })

const spec = withRules(
  z
    .strictObject({
      type: permanentType,
      variables: plainVariables(
        `Environment variables of all instances in the environment, at most 100. Any other of the same name wins. Not for secrets. ${next}`,
      ).optional(),
      defaults: defaults.optional(),
    })
    .meta({ description: 'What the environment is.' }),
  [
    {
      id: 'no-auto-upgrade-in-prod',
      rule: "self.type != 'prod' || !has(self.defaults) || !has(self.defaults.autoUpgrade) || !self.defaults.autoUpgrade",
      message:
        'an environment of type prod may not have defaults.autoUpgrade: true; revisions are chosen by hand there',
      fieldPath: '.defaults.autoUpgrade',
      reason: 'FieldValueForbidden',
      holds: ({ type, defaults: given }) => type !== 'prod' || given?.autoUpgrade !== true,
    },
  ],
)

const status = z
  .strictObject({ conditions: conditionList, observedGeneration: observedGeneration.optional() })
  .meta({ description: 'Only while it is being deleted: who still uses it. Written by the operator only.' })

export type AppEnvSpec = Immutable<z.output<typeof spec>>
export type AppEnvType = AppEnvSpec['type']
export type AppEnvStatus = Immutable<z.output<typeof status>>
export type AppEnv = ApiObject<AppEnvSpec, AppEnvStatus>

export const appEnvKind: Kind = {
  group,
  version,
  kind: 'AppEnv',
  plural: 'appenvs',
  singular: 'appenv',
  namespaced: false,
  description:
    'A named environment of the cluster, such as prod or dev; AppInstances name it in spec.env. The operator makes prod, staging and dev once, when there is none.',
  spec,
  status,
  isStatusRare: true,
  rules: nameRules({ kind: 'AppEnv', max: 63, why: 'it becomes a label of everything in the environment' }),
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type', description: 'What the environment is for.' },
    conditionColumn('Reason', 'Ready', 'reason', true),
    conditionColumn('Message', 'Ready', 'message', true),
    ageColumn,
  ],
  selectableFields: ['.spec.type'],
}
