import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '../cluster/progress.ts'
import type { Kubectl } from './kubectl.ts'
import { sayOutput } from './texts.ts'
import { waitFor } from './wait.ts'

/** The instance of examples/errored, whose namespace is somebody else's. */
export const takenInstance = 'taken-dev'
const folder = 'examples/errored'

/** Where the walk is gone. */
export interface Walk {
  readonly kubectl: Kubectl
  /** The image of hello 1 on this cluster. */
  readonly image: string
  /** The namespace of the App and its instance. */
  readonly project: string
  readonly report: Report
}

/** Nothing is left of a walk before. */
export async function removeTaken({ kubectl, project }: Walk): Promise<void> {
  for (const kind of ['appinstance', 'appsteadapp']) {
    const name = kind === 'appinstance' ? takenInstance : 'taken'
    await kubectl.text('-n', project, 'delete', kind, name, '--ignore-not-found', '--timeout=90s')
  }
  await kubectl.text('delete', 'namespace', takenInstance, '--ignore-not-found', '--timeout=90s')
}

/** An instance is made whose namespace is another team's; resolves when it says so, and throws when it does not. */
export async function intoErrored(walk: Walk): Promise<void> {
  for (const file of ['namespace.yaml', 'taken.yaml']) {
    say(walk, `kubectl apply -f ${folder}/${file}`)
    sayOutput(await walk.kubectl.apply(read(file, walk.image), walk.project), walk.report)
  }
  await untilPhase(walk, 'Errored', 5)
  const { status } = await walk.kubectl.json<Errored>('-n', walk.project, 'get', 'appinstance', takenInstance)
  sayOutput(`${status.error.reason}: ${status.error.message}`, walk.report)
}

/** The instance is given up, by the command that its status names; resolves when it is gone. */
export async function outByDeletion(walk: Walk): Promise<void> {
  await follow(walk, 'delete appinstance')
}

/** The other team leaves, and a retry is asked for, by the command that the status names; resolves when it is Ready. */
export async function outByRetry(walk: Walk): Promise<void> {
  say(walk, `kubectl delete namespace ${takenInstance}`)
  sayOutput(await walk.kubectl.text('delete', 'namespace', takenInstance, '--timeout=90s'), walk.report)
  await follow(walk, 'annotate appinstance')
  await untilPhase(walk, 'Running', 10)
}

interface Errored {
  readonly status: {
    readonly phase?: string
    readonly error: { readonly reason: string; readonly message: string; readonly nextSteps: readonly string[] }
  }
}

/** Does, word for word, what the status says can be done. */
async function follow(walk: Walk, what: string): Promise<void> {
  const { status } = await walk.kubectl.json<Errored>('-n', walk.project, 'get', 'appinstance', takenInstance)
  const step = status.error.nextSteps.find((each) => each.startsWith(`kubectl ${what}`))
  if (step === undefined) throw new Error(`no step to ${what} in ${JSON.stringify(status.error.nextSteps)}`)
  say(walk, step)
  sayOutput(await walk.kubectl.text(...step.split(' ').slice(1)), walk.report)
}

async function untilPhase({ kubectl, project, report }: Walk, phase: string, usualSeconds: number): Promise<void> {
  await waitFor(`${takenInstance} to be ${phase}`, usualSeconds, 180, report, async () => {
    const { status } = await kubectl.json<Partial<Errored>>('-n', project, 'get', 'appinstance', takenInstance)
    return { isDone: status?.phase === phase, text: status?.phase ?? 'the operator has not looked at it yet' }
  })
}

function read(file: string, image: string): string {
  return readFileSync(join(import.meta.dirname, '../..', folder, file), 'utf8').replace(/image: \S+/, `image: ${image}`)
}

function say({ report }: Walk, command: string): void {
  report(`  $ ${command}`)
}
