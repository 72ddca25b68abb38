import { says, type Rule } from '../kind.ts'
import { listMap, withRules } from '../schema.ts'
import { stackService, type StackService } from './stackService.ts'

/** The services of a stack together: the shape of AppStack, of App's inline stack and of AppStackRevision. */

const maxFilesTotal = 262_144

/** In CEL, of the service `s` at index `i`. */
const dependsOnEarlier = '!has(s.dependsOn) || s.dependsOn.all(d, self.exists(j, each, j < i && each.name == d))'

const fromEarlier =
  "!has(s.from) || self.exists(j, each, j < i && each.name == s.from && each.type in ['Web', 'Worker'])"

const linksEarlier =
  "!has(s.links) || s.links.all(l, self.exists(j, each, j < i && each.name == l.service && each.type != 'Worker'))"

/** Where in the list stand those that answer, as the only item `m` of a list: CEL has no other way to look it up once. */
const answering = "[self.transformMapEntry(j, each, each.type != 'Worker', {each.name: j})]"
const variablesEarlier =
  '!has(s.variables) || s.variables.all(v, !has(v.valueFrom) || !has(v.valueFrom.link) || m[?v.valueFrom.link.service].orValue(50) < i)'

const listRules: readonly Rule<readonly StackService[]>[] = [
  {
    id: 'one-main-service',
    rule: 'self.filter(s, has(s.main) && s.main).size() <= 1',
    message: 'at most one service may have main: true',
    messageExpression: says(
      'at most one service may have main: true, not these: %s',
      'self.filter(s, has(s.main) && s.main).map(s, s.name)',
    ),
    reason: 'FieldValueInvalid',
    holds: (services) => services.filter((service) => service.main === true).length <= 1,
  },
  {
    id: 'one-service-of-pods',
    rule: "self.exists(s, s.type in ['Web', 'Worker'])",
    message: 'at least one service must be of type Web or Worker: without one there is nothing to run',
    messageExpression: says(
      'at least one service must be of type Web or Worker: without one there is nothing to run; these are not: %s',
      'self.map(s, s.name)',
    ),
    reason: 'FieldValueInvalid',
    holds: (services) => services.length === 0 || services.some(({ type }) => type !== 'PostgreSQL'),
  },
  {
    // Names listed earlier only: so there are no cycles, and removing a service that others name is refused.
    id: 'depends-on-earlier',
    rule: `(oldSelf.hasValue() || true) && self.all(i, s, ${dependsOnEarlier})`,
    optionalOldSelf: true,
    message: 'dependsOn may name only services that are listed earlier',
    messageExpression: says(
      'dependsOn may name only services that are listed earlier in this list; these name others: %s',
      `self.transformList(i, s, !(${dependsOnEarlier}), s.name)`,
    ),
    reason: 'FieldValueInvalid',
    holds: (services) =>
      services.every(({ dependsOn: needed = [] }, index) => {
        const earlier = new Set(services.slice(0, index).map(({ name }) => name))
        return needed.every((name) => earlier.has(name))
      }),
  },
  {
    id: 'from-earlier',
    rule: `(oldSelf.hasValue() || true) && self.all(i, s, ${fromEarlier})`,
    optionalOldSelf: true,
    message: 'from may name only a service that is listed earlier, of type Web or Worker',
    messageExpression: says(
      'from may name only a service of type Web or Worker that is listed earlier in this list; these name others: %s',
      `self.transformList(i, s, !(${fromEarlier}), s.name)`,
    ),
    reason: 'FieldValueInvalid',
    holds: (services) =>
      services.every(
        ({ from }, index) =>
          from === undefined ||
          services.slice(0, index).some(({ name, type }) => name === from && type !== 'PostgreSQL'),
      ),
  },
  {
    // Names listed earlier only, as links imply dependsOn.
    id: 'links-earlier',
    rule: `(oldSelf.hasValue() || true) && self.all(i, s, ${linksEarlier})`,
    optionalOldSelf: true,
    message: 'links may name only services that are listed earlier and are no Workers',
    messageExpression: says(
      'links may name only services that are listed earlier in this list and answer, so no Workers; these name others: %s',
      `self.transformList(i, s, !(${linksEarlier}), s.name)`,
    ),
    reason: 'FieldValueInvalid',
    holds: (services) =>
      services.every(({ links: named = [] }, index) => {
        const earlier = services.slice(0, index).filter(({ type }) => type !== 'Worker')
        return named.every(({ service }) => earlier.some(({ name }) => name === service))
      }),
  },
  {
    id: 'variables-of-links-earlier',
    rule: `(oldSelf.hasValue() || true) && ${answering}.all(m, self.all(i, s, ${variablesEarlier}))`,
    optionalOldSelf: true,
    message: 'valueFrom.link of a variable may name only a service that is listed earlier and is no Worker',
    messageExpression: says(
      'valueFrom.link of a variable may name only a service that is listed earlier in this list and answers, so no Worker; these have variables that name others: %s',
      `${answering}.map(m, self.transformList(i, s, !(${variablesEarlier}), s.name))[0]`,
    ),
    reason: 'FieldValueInvalid',
    holds: (services) =>
      services.every(({ variables = [] }, index) => {
        const earlier = services.slice(0, index).filter(({ type }) => type !== 'Worker')
        const named = variables.flatMap(({ valueFrom }) => valueFrom?.link ?? [])
        return named.every(({ service }) => earlier.some(({ name }) => name === service))
      }),
  },
  {
    id: 'files-total',
    rule: `self.map(s, has(s.files) ? s.files.map(f, has(f.content) ? size(f.content) : 0).sum() : 0).sum() <= ${maxFilesTotal}`,
    message: `the files of all services may have at most ${maxFilesTotal} characters together`,
    messageExpression: says(
      `the files of all services have %d characters together; at most ${maxFilesTotal} are allowed`,
      'self.map(s, has(s.files) ? s.files.map(f, has(f.content) ? size(f.content) : 0).sum() : 0).sum()',
    ),
    reason: 'FieldValueInvalid',
    holds: (services) =>
      services
        .flatMap((service) => service.files ?? [])
        .reduce((sum, file) => sum + [...(file.content ?? '')].length, 0) <= maxFilesTotal,
  },
]

/** services[] of a stack: 1 to 50. */
export const stackServices = withRules(
  listMap('The services the app is made of, 1 to 50, by name.', stackService, {
    key: 'name',
    min: 1,
    max: 50,
  }),
  listRules,
)
