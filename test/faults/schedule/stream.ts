import { KubeError } from '../../../operator/kube/errors.ts'

/** The body of a watch: chunks that someone else pushes, until it is ended, failed or aborted. Read by one reader. */
export class Stream implements AsyncIterable<Buffer> {
  readonly #what: string
  readonly #signal: AbortSignal
  readonly #chunks: Buffer[] = []
  #outcome: 'open' | 'ended' | KubeError = 'open'
  #wake: (() => void) | undefined

  /** `signal` aborts it; with `death` it forgets that it listens there. */
  constructor(what: string, signal: AbortSignal, death: AbortSignal) {
    this.#what = what
    this.#signal = signal
    const abort = (): void => this.fail(new KubeError('Aborted', `${this.#what}: aborted`))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true, signal: death })
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#wake?.()
  }

  end(): void {
    if (this.#outcome === 'open') this.#outcome = 'ended'
    this.#wake?.()
  }

  fail(error: KubeError): void {
    if (this.#outcome === 'open') this.#outcome = error
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const chunk = this.#signal.aborted ? undefined : this.#chunks.shift()
      if (chunk !== undefined) yield chunk
      else if (this.#outcome === 'ended') return
      else if (this.#outcome !== 'open') throw this.#outcome
      else await this.#more()
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
