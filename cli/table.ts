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
const cluster: Readonly<Record<string, Option>> = {
  namespace: { ...namespace, about: `${namespace.about} Default: that of the context.` },
  context: { type: 'string', value: 'CONTEXT', about: 'The context of the kubeconfig. Default: the current one.' },
  kubeconfig: { type: 'string', value: 'FILE', about: 'The kubeconfig. Default: KUBECONFIG, or ~/.kube/config.' },
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
    summary:
      'Says what the API server would refuse of files, where it stands, and what would be right. Needs no cluster.',
    positionals: [0, 0],
    options: { filename: files, output: { ...output, oneOf: ['json'], value: 'json' } },
    load: async () => (await import('./commands/lint.ts')).lint,
  },
  {
    name: 'render',
    usage: '-f FILE…',
    summary:
      'Writes what the operator would make of the instances in files: all objects, in their order. Needs no cluster.',
    positionals: [0, 0],
    options: { filename: files, namespace: { ...namespace, about: `${namespace.about} Default: default.` }, output },
    load: async () => (await import('./commands/render.ts')).render,
  },
  {
    name: 'why',
    usage: 'NAME',
    summary: 'Says why an instance is not as it should be: the one cause, and what to do.',
    positionals: [1, 1],
    options: { ...cluster, output: { ...output, oneOf: ['json'], value: 'json' } },
    load: async () => (await import('./commands/why.ts')).why,
  },
  {
    name: 'tree',
    usage: 'NAME',
    summary: 'Shows what belongs to an instance: services with their pods, the newest releases and tasks.',
    positionals: [1, 1],
    options: cluster,
    load: async () => (await import('./commands/tree.ts')).tree,
  },
  {
    name: 'tasks',
    usage: 'NAME',
    summary: 'Lists what was done with an instance, also with one that is gone: creations, removals, actions.',
    positionals: [1, 1],
    options: { ...cluster, output },
    load: async () => (await import('./commands/tasks.ts')).tasks,
  },
  {
    name: 'deploy',
    usage: 'NAME',
    summary: 'Deploys what waits for the next deployment, or what failed once more.',
    positionals: [1, 1],
    options: { ...cluster, cause, follow, timeout },
    load: async () => (await import('./commands/request.ts')).deploy,
  },
  {
    name: 'restart',
    usage: 'NAME',
    summary: 'Replaces all replicas by new ones, none of them lost for those who are served.',
    positionals: [1, 1],
    options: { ...cluster, cause, follow, timeout },
    load: async () => (await import('./commands/request.ts')).restart,
  },
  {
    name: 'retry',
    usage: 'NAME',
    summary: 'Has the creation or the removal of an Errored instance tried again.',
    positionals: [1, 1],
    options: { ...cluster, cause },
    load: async () => (await import('./commands/request.ts')).retry,
  },
  {
    name: 'scale',
    usage: 'NAME --replicas N',
    summary: 'Sets how many replicas of the main service there are to be.',
    positionals: [1, 1],
    options: { ...cluster, replicas: { type: 'string', value: 'N', about: 'How many, 1 to 10.' } },
    load: async () => (await import('./commands/change.ts')).scale,
  },
  {
    name: 'suspend',
    usage: 'NAME',
    summary: 'Takes every service of an instance to no replica; volumes, Secrets and addresses stay.',
    positionals: [1, 1],
    options: cluster,
    load: async () => (await import('./commands/change.ts')).suspend,
  },
  {
    name: 'resume',
    usage: 'NAME',
    summary: 'Brings back what was suspended.',
    positionals: [1, 1],
    options: cluster,
    load: async () => (await import('./commands/change.ts')).resume,
  },
]
