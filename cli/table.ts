import type { Command, Option } from './command.ts'

/** Every command there is: help, completion and what is understood are made of this table. */

const files: Option = {
  type: 'string',
  short: 'f',
  multiple: true,
  value: 'FILE',
  about: 'A file of YAML or JSON; - for the standard input. May stand several times.',
}

const output: Option = {
  type: 'string',
  short: 'o',
  value: 'json|yaml|name',
  oneOf: ['json', 'yaml', 'name'],
  about: 'How what was found is written.',
}

const namespace: Option = {
  type: 'string',
  short: 'n',
  value: 'NAMESPACE',
  about: 'The project: the namespace of apps and their instances.',
}

/** Options of a command that speaks to a cluster. */
const connection: Readonly<Record<string, Option>> = {
  context: { type: 'string', value: 'CONTEXT', about: 'The context of the kubeconfig. Default: the current one.' },
  kubeconfig: { type: 'string', value: 'FILE', about: 'The kubeconfig. Default: KUBECONFIG, or ~/.kube/config.' },
}

/** Of one that means a project. */
const cluster: Readonly<Record<string, Option>> = {
  namespace: { ...namespace, about: `${namespace.about} Default: that of the context.` },
  ...connection,
}

/** Options of one that changes something. */
const changing: Readonly<Record<string, Option>> = {
  ...cluster,
  'dry-run': {
    type: 'boolean',
    about: 'Changes nothing: only says whether the API server would take it, and what it is.',
  },
}

const service: Option = { type: 'string', value: 'SERVICE', about: '' }

const everywhere: Option = { type: 'boolean', short: 'A', about: 'In all namespaces.' }

/** Options of a command that reads: of one instance, of those of a project, of all. */
const reading: Readonly<Record<string, Option>> = { ...cluster, 'all-namespaces': everywhere, output }

const operatorNamespace: Option = {
  type: 'string',
  value: 'NAMESPACE',
  about: 'Where the operator runs. Default: appstead-system.',
}

const cause: Option = {
  type: 'string',
  value: 'TEXT',
  about: 'Why, for the record; of the same words only the first is a request. Default: who and when.',
}

const follow: Option = {
  type: 'boolean',
  about: 'Waits for the release, tells how it goes, and ends with 3 if it fails.',
}

const timeout: Option = {
  type: 'string',
  value: 'SECONDS',
  about: 'For how long --follow waits. Default: 600.',
}

/** Options of every command. */
export const commonOptions: Readonly<Record<string, Option>> = {
  help: { type: 'boolean', short: 'h', about: 'Says what a command does.' },
  color: {
    type: 'string',
    value: 'auto|always|never',
    oneOf: ['auto', 'always', 'never'],
    about: 'Colours; by default on a terminal where NO_COLOR is not set.',
  },
}

export const commands: readonly Command[] = [
  {
    name: 'lint',
    usage: '-f FILE…',
    example: 'lint -f hello.yaml',
    summary:
      'Says what the API server would refuse of files, where it stands, and what would be right. Needs no cluster.',
    positionals: [0, 0],
    options: { filename: files, output: { ...output, oneOf: ['json'], value: 'json' } },
    load: async () => (await import('./commands/lint.ts')).lint,
  },
  {
    name: 'render',
    usage: '-f FILE…',
    example: 'render -f hello.yaml -n team-a',
    summary:
      'Writes what the operator would make of the instances in files: all objects, in their order. Needs no cluster.',
    positionals: [0, 0],
    options: { filename: files, namespace: { ...namespace, about: `${namespace.about} Default: default.` }, output },
    load: async () => (await import('./commands/render.ts')).render,
  },
  {
    name: 'get',
    usage: '[NAME]',
    example: 'get -A -o wide',
    summary: 'Lists instances, with the columns of kubectl.',
    positionals: [0, 1],
    options: {
      ...reading,
      output: { ...output, oneOf: ['json', 'yaml', 'name', 'wide'], value: 'json|yaml|name|wide' },
      selector: { type: 'string', short: 'l', value: 'LABELS', about: 'Only those with these labels, such as team=a.' },
    },
    load: async () => (await import('./commands/get.ts')).get,
  },
  {
    name: 'why',
    usage: '[NAME]',
    example: 'why shop-prod -n team-a',
    summary: 'Says why an instance is not as it should be: the one cause, and what to do; without a name, of all.',
    positionals: [0, 1],
    options: reading,
    load: async () => (await import('./commands/why.ts')).why,
  },
  {
    name: 'tree',
    usage: '[NAME]',
    example: 'tree shop-prod -n team-a',
    summary: 'Shows what belongs to an instance: services with their pods, the newest releases and tasks.',
    positionals: [0, 1],
    options: reading,
    load: async () => (await import('./commands/tree.ts')).tree,
  },
  {
    name: 'tasks',
    usage: '[NAME]',
    example: 'tasks shop-prod -n team-a',
    summary: 'Lists what was done with an instance, also with one that is gone: creations, removals, actions.',
    positionals: [0, 1],
    options: reading,
    load: async () => (await import('./commands/tasks.ts')).tasks,
  },
  {
    name: 'logs',
    usage: 'NAME',
    example: 'logs shop-prod -f --tail 20 --service worker',
    summary: 'Shows what the replicas of an instance write; with -f also what comes, of those that come, too.',
    positionals: [1, 1],
    options: {
      ...cluster,
      service: { ...service, about: 'Only of this service. Default: of all.' },
      follow: { type: 'boolean', short: 'f', about: 'Goes on until Ctrl-C, and follows those that a roll-out brings.' },
      tail: { type: 'string', value: 'LINES', about: 'Only so many of the last lines of each.' },
      since: { type: 'string', value: 'TIME', about: 'Only what is not older, such as 30s, 5m or 2h.' },
      previous: { type: 'boolean', short: 'p', about: 'Of the process before, of replicas that were started again.' },
      plain: { type: 'boolean', about: 'Without the names of pods before the lines.' },
    },
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  {
    name: 'exec',
    usage: 'NAME -- COMMAND…',
    example: 'exec shop-prod -it -- sh',
    summary: 'Runs a command in a ready replica of a service, and ends with its exit code.',
    positionals: [2, Infinity],
    options: {
      ...cluster,
      service: { ...service, about: 'In this service. Default: the main one.' },
      stdin: { type: 'boolean', short: 'i', about: 'Gives it the standard input.' },
      tty: { type: 'boolean', short: 't', about: 'Gives it a terminal.' },
    },
    load: async () => (await import('./commands/exec.ts')).exec,
  },
  {
    name: 'deploy',
    usage: 'NAME',
    example: "deploy shop-prod --cause 'approved by Ada' --follow",
    summary: 'Deploys what waits for the next deployment, or what failed once more.',
    positionals: [1, 1],
    options: { ...changing, cause, follow, timeout },
    load: async () => (await import('./commands/request.ts')).deploy,
  },
  {
    name: 'restart',
    usage: 'NAME',
    example: "restart shop-prod --cause 'new certificates'",
    summary: 'Replaces all replicas by new ones, none of them lost for those who are served.',
    positionals: [1, 1],
    options: { ...changing, cause, follow, timeout },
    load: async () => (await import('./commands/request.ts')).restart,
  },
  {
    name: 'retry',
    usage: 'NAME',
    example: "retry shop-prod --cause 'there is quota now'",
    summary: 'Has the creation or the removal of an Errored instance tried again.',
    positionals: [1, 1],
    options: { ...changing, cause },
    load: async () => (await import('./commands/request.ts')).retry,
  },
  {
    name: 'diff',
    usage: '-f FILE…',
    example: 'diff -f hello.yaml -n team-a',
    summary: 'Says what applying files would change in instances: objects, field by field. Ends with 3 if it would.',
    positionals: [0, 0],
    options: { ...cluster, filename: files },
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  {
    name: 'promote',
    usage: 'FROM TO',
    example: 'promote shop-staging shop-prod --dry-run',
    summary: 'Gives one instance the stack revision and the images that run in another of the same app.',
    positionals: [2, 2],
    options: {
      ...changing,
      output: { ...output, oneOf: ['json', 'yaml'], value: 'json|yaml', about: 'Writes the instance as it is then.' },
      force: { type: 'boolean', about: 'Also what runs in an instance that is not as it should be.' },
    },
    load: async () => (await import('./commands/promote.ts')).promote,
  },
  {
    name: 'scale',
    usage: 'NAME --replicas N',
    example: 'scale shop-prod --replicas 3',
    summary: 'Sets how many replicas of the main service there are to be.',
    positionals: [1, 1],
    options: { ...changing, replicas: { type: 'string', value: 'N', about: 'How many, 1 to 10.' } },
    load: async () => (await import('./commands/change.ts')).scale,
  },
  {
    name: 'suspend',
    usage: 'NAME',
    example: 'suspend shop-dev',
    summary: 'Takes every service of an instance to no replica; volumes, Secrets and addresses stay.',
    positionals: [1, 1],
    options: changing,
    load: async () => (await import('./commands/change.ts')).suspend,
  },
  {
    name: 'resume',
    usage: 'NAME',
    example: 'resume shop-dev',
    summary: 'Brings back what was suspended.',
    positionals: [1, 1],
    options: changing,
    load: async () => (await import('./commands/change.ts')).resume,
  },
  {
    name: 'doctor',
    usage: '',
    example: 'doctor',
    summary: 'Looks whether a cluster has what Appstead needs: one line each, and what to do. Ends with 3 on an error.',
    positionals: [0, 0],
    options: {
      ...connection,
      'operator-namespace': operatorNamespace,
      output: { ...output, oneOf: ['json', 'yaml'], value: 'json|yaml' },
    },
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'report',
    usage: 'NAME',
    example: 'report shop-prod -n team-a',
    summary:
      'Writes all that is known of an instance as YAML, to be given to others: no value of a Secret or a variable.',
    positionals: [1, 1],
    options: { ...cluster, 'operator-namespace': operatorNamespace },
    load: async () => (await import('./commands/report.ts')).report,
  },
]
