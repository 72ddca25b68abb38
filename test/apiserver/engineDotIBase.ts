/**
 * The plain base class of @dot-i/k8s-operator at work, as a process of its own because it may end its process.
 * argv: what to do, namespace, `mended` to give it the URL it cannot make itself with client-node 2.x. Prints one JSON line per thing that happened.
 */
import process from 'node:process'
import operatorModule, { ResourceEventType, type ResourceEvent } from '@dot-i/k8s-operator'

/** One thing that happened. */
export interface Said {
  readonly type?: string
  readonly name?: string
  readonly watching?: boolean
  readonly error?: string
  readonly status?: unknown
  readonly finalizer?: boolean
}

const [, , scenario = '', namespace = '', mended = ''] = process.argv
const say = (what: Said): void => void process.stdout.write(`${JSON.stringify(what)}\n`)
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message: string) => say({ error: message.slice(0, 300) }),
}

class Plain extends operatorModule.default {
  protected override async init(): Promise<void> {
    await this.watchResource('', 'v1', 'configmaps', (event) => this.onEvent(event), namespace)
    say({ watching: true })
  }

  protected override getCustomResourceApiUri(group: string, version: string, plural: string, of?: string): string {
    const uri = super.getCustomResourceApiUri(group, version, plural, of)
    return mended === '' ? uri : uri.replace('undefined', this.kubeConfig.getCurrentCluster()?.server ?? '')
  }

  private async onEvent(event: ResourceEvent): Promise<void> {
    say({ type: event.type, name: event.meta.name })
    if (event.type !== ResourceEventType.Added) return
    if (scenario === 'finalizer' && event.meta.name === 'mine') await this.takeTime(event)
    if (scenario === 'status' && event.meta.name === 'mine') {
      // A ConfigMap has no status: the server answers 404.
      say({ status: await this.setResourceStatus(event.meta, { ready: true }) })
    }
  }

  /** Between the event and the write, others write: the parent answers when they have. */
  private async takeTime(event: ResourceEvent): Promise<void> {
    await new Promise((resolve) => process.stdin.once('data', resolve))
    const isDone = await this.handleResourceFinalizer(event, 'engine.test/ours', async () => undefined)
    say({ finalizer: isDone })
  }
}

await new Plain(logger).start()
