import { execFile } from 'node:child_process'
import { ensureBinaries } from '../cluster/binaries.ts'
import { reportToTerminal } from '../cluster/progress.ts'

/** What GitOps tools say of objects, by their own code: test/cluster/go/gitops. */

interface Told {
  /** '' where the tool has no opinion on the kind. */
  readonly status: string
  readonly message: string
}

export interface Verdict {
  readonly argocd: Told
  /** What Argo CD's menu has for it. */
  readonly actions: Readonly<Record<string, Action>>
  readonly kstatus: Told
  /** '' where no expression is for the kind. */
  readonly flux: string
}

interface Action {
  readonly disabled: boolean
  readonly displayName: string
  /** The object after it. */
  readonly result: Readonly<Record<string, unknown>>
}

export interface Asked {
  /** Data of Argo CD's ConfigMap argocd-cm. */
  readonly argocd: Readonly<Record<string, string>>
  /** healthCheckExprs of a Flux Kustomization. */
  readonly flux: readonly unknown[]
  readonly objects: readonly object[]
}

/**
 * Asks the tools. Out: a verdict for each object, in their order. Rejects with the tool's words where a script or an expression
 * cannot be run. The first time on a machine it is built, which takes minutes.
 */
export async function verdictsOf(asked: Asked): Promise<readonly Verdict[]> {
  const { verdicts } = await ensureBinaries(['verdicts'], reportToTerminal)
  return new Promise((resolve, reject) => {
    const child = execFile(verdicts, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr === '' ? error.message : stderr, { cause: error }))
      else resolve(JSON.parse(stdout) as readonly Verdict[])
    })
    child.stdin?.end(JSON.stringify(asked))
  })
}
