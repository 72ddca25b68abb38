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
]
