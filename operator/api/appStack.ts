import { z } from 'zod'
import { ageColumn, conditionColumn, says, type Kind } from './kind.ts'
import { group, version, type ApiObject } from './meta.ts'
import { nameRules } from './names.ts'
import { conditionList, dnsSubdomain, observedGeneration, text, withRules, type Immutable } from './schema.ts'
import { stackServices } from './service/stackServices.ts'

const stackVersion = withRules(
  text(
    'Names the revision that the content is published as: <stack>-<version>, such as shop-1.4. Change it with the content. Default: revisions are counted, such as shop-r4-1a2b3c.',
    { max: 40, min: 1, pattern: dnsSubdomain },
  ),
  [
    {
      id: 'version-is-not-counted',
      rule: "!self.matches('^r[0-9]+(-.*)?$')",
      message: 'a version may not look like r<number>: counted revisions are named so',
      messageExpression: says("version '%s' looks like a counted revision; write one such as '1.4'", 'self'),
      reason: 'FieldValueInvalid',
      holds: (given) => !/^r[0-9]+(-.*)?$/.test(given),
    },
  ],
)

const spec = z
  .strictObject({ version: stackVersion.optional(), services: stackServices })
  .meta({ description: 'What apps of this stack are made of. A change publishes a new AppStackRevision.' })

const status = z
  .strictObject({
    conditions: conditionList,
    observedGeneration,
    latestRevision: text('Name of the AppStackRevision that holds the newest content.', {
      max: 253,
      pattern: dnsSubdomain,
    }).optional(),
  })
  .meta({ description: 'What the operator has seen. Written by the operator only.' })

export type AppStackSpec = Immutable<z.output<typeof spec>>
export type AppStackStatus = Immutable<z.output<typeof status>>
export type AppStack = ApiObject<AppStackSpec, AppStackStatus>

export const appStackKind: Kind = {
  group,
  version,
  kind: 'AppStack',
  plural: 'appstacks',
  singular: 'appstack',
  namespaced: true,
  description:
    'The services that one or more Apps are made of. Each change is published as an immutable AppStackRevision, which instances can be pinned to.',
  spec,
  status,
  rules: [
    {
      id: 'reserved-stack-name',
      rule: "!self.metadata.name.startsWith('app-')",
      message: "the name of an AppStack may not begin with 'app-': revisions of Apps' inline stacks are named so",
      messageExpression: says(
        "metadata.name '%s' may not begin with 'app-': revisions of inline stacks are named so; use another name",
        'self.metadata.name',
      ),
      fieldPath: '.metadata.name',
      reason: 'FieldValueForbidden',
      holds: ({ metadata }) => !metadata.name.startsWith('app-'),
    },
    ...nameRules({ kind: 'AppStack', max: 63, why: 'the names of its revisions begin with it' }),
  ],
  columns: [
    { name: 'Revision', type: 'string', jsonPath: '.status.latestRevision', description: 'Newest AppStackRevision.' },
    conditionColumn('Ready', 'Ready', 'status'),
    conditionColumn('Reason', 'Ready', 'reason', true),
    conditionColumn('Message', 'Ready', 'message', true),
    ageColumn,
  ],
  selectableFields: [],
}
