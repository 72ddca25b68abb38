import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { main } from '../../unit/cli/cli.ts'

/** A shell in which there is kubectl. */

interface Where {
  readonly kubectl: string
  readonly kubeconfig: string
}

/** The environment in which kubectl is found. */
export const withKubectl = ({ kubectl }: Pick<Where, 'kubectl'>): { readonly PATH: string } => ({
  PATH: [dirname(kubectl), process.env['PATH']].join(delimiter),
})

/** What a real bash, with what kubectl gives it, makes of Tab after these words of `kubectl appstead`. */
export function completedInBash(cluster: Where, words: readonly string[]): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'appstead-'))
  symlinkSync(main, join(folder, 'kubectl-appstead'))
  symlinkSync(join(dirname(main), 'completion.ts'), join(folder, 'kubectl_complete-appstead'))
  // What the package bash-completion brings.
  const script = `
    _init_completion() { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=\${words[cword]}; prev=\${words[cword-1]}; }
    compopt() { :; }
    source <(kubectl completion bash)
    COMP_WORDS=(kubectl appstead "$@"); COMP_CWORD=$(($# + 1)); COMP_LINE="\${COMP_WORDS[*]}"; COMP_POINT=\${#COMP_LINE}; COMP_TYPE=9
    __start_kubectl
    printf '%s\n' "\${COMPREPLY[@]}"`
  const path = [folder, dirname(process.execPath), withKubectl(cluster).PATH].join(delimiter)
  const env = { ...process.env, PATH: path, KUBECONFIG: cluster.kubeconfig }
  return new Promise((resolve) => {
    execFile('bash', ['--norc', '-c', script, 'bash', ...words], { env }, (_, stdout) => {
      rmSync(folder, { recursive: true })
      resolve(stdout.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()])))
    })
  })
}
