import { z } from 'zod'
import { ageColumn, conditionColumn, says, type Kind } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { maxInstanceName } from './names.ts'
import { actionRecords } from './service/actionRecord.ts'
import { sources } from './service/references.ts'
import { resolvedServiceSchema } from './service/resolvedService.ts'
import {
  conditionList,
  dnsLabel,
  dnsSubdomain,
  integer,
  listMap,
  objectUid,
  observedGeneration,
  text,
  withRules,
  type Immutable,
} from './schema.ts'

const spec = withRules(
  z
    .strictObject({
      instance: text('Name of the AppInstance. Permanent.', { max: maxInstanceName, min: 1, pattern: dnsLabel }),
      instanceUid: objectUid('metadata.uid of the AppInstance. Permanent.'),
      number: integer('Counts the releases of the instance, from 1. Permanent.', 1, 2_147_483_647),
      stackRevision: text('The AppStackRevision it was made from. Permanent.', {
        max: 253,
        min: 1,
        pattern: dnsSubdomain,
      }),
      generation: integer(
        'metadata.generation of the AppInstance it was made from. Permanent.',
        1,
        Number.MAX_SAFE_INTEGER - 1,
      ),
      upgradedFrom: text(
        'The AppStackRevision of the last good release before it, if that is another; absent otherwise. Permanent.',
        { max: 253, min: 1, pattern: dnsSubdomain },
      ).optional(),
      renderVersion: integer('Version of the rules that make pods from it. Permanent.', 1, 1_000_000),
      cause: text('Why it was made, for people, such as image changed. Permanent.', { max: 1024 }),
      requests: z
        .strictObject({
          deploy: text('Value of the annotation appstead.dev/deploy. Permanent.', { max: 256 }).optional(),
          restart: text('Value of the annotation appstead.dev/restart. Permanent.', { max: 256 }).optional(),
        })
        .optional()
        .meta({
          description: 'The requests of the AppInstance that are handled with it, and before it. Permanent.',
        }),
      services: listMap(
        'The services after every merge: all that pods are made from. Permanent.',
        resolvedServiceSchema,
        {
          key: 'name',
          min: 1,
          max: 50,
        },
      ),
      sources: sources.optional(),
    })
    .meta({ description: 'What was deployed. Permanent as a whole.' }),
  [
    {
      id: 'immutable-release',
      rule: 'self == oldSelf',
      message: 'a release may not be changed; change the AppInstance, which makes a new one',
      messageExpression: says(
        "release %d of '%s' may not be changed; change the AppInstance, which makes a new one",
        'oldSelf.number',
        'oldSelf.instance',
      ),
      reason: 'FieldValueForbidden',
    },
  ],
)

const status = z
  .strictObject({
    conditions: conditionList,
    observedGeneration,
    actions: actionRecords('The actions that were started, in their order. None of them is started again.').optional(),
  })
  .meta({ description: 'How the roll-out went. Written by the operator only.' })

export type AppReleaseSpec = Immutable<z.output<typeof spec>>
export type AppReleaseStatus = Immutable<z.output<typeof status>>
export type AppRelease = ApiObject<AppReleaseSpec, AppReleaseStatus>

export const appReleaseKind: Kind = {
  group,
  version,
  kind: 'AppRelease',
  plural: 'appreleases',
  singular: 'apprelease',
  namespaced: true,
  description:
    'The record of one deployment of an AppInstance, from which alone its pods are made. Made by the operator; its spec never changes.',
  spec,
  status,
  isRecord: true,
  rules: [],
  columns: [
    { name: 'Instance', type: 'string', jsonPath: '.spec.instance', description: 'The AppInstance.' },
    { name: 'Number', type: 'integer', jsonPath: '.spec.number', description: 'Counts the releases of the instance.' },
    {
      name: 'Revision',
      type: 'string',
      jsonPath: '.spec.stackRevision',
      description: 'AppStackRevision it was made from.',
    },
    {
      name: 'From',
      type: 'string',
      jsonPath: '.spec.upgradedFrom',
      description: 'AppStackRevision of the last good release before it, if that is another.',
      wide: true,
    },
    conditionColumn('Result', 'Succeeded', 'status'),
    conditionColumn('Reason', 'Succeeded', 'reason'),
    conditionColumn('Message', 'Succeeded', 'message', true),
    { name: 'Cause', type: 'string', jsonPath: '.spec.cause', description: 'Why it was made.', wide: true },
    ageColumn,
  ],
  selectableFields: ['.spec.instance'],
}
