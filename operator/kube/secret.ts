import { inspect } from 'node:util'

const shown = '[redacted]'

/**
 * A value nobody may see by accident: templates, logs, JSON, util.inspect and error messages show `[redacted]`. It is
 * let out by `reveal` at the one place of its use.
 */
export class Redacted<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  reveal(): T {
    return this.#value
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  [Symbol.toPrimitive](): string {
    return shown
  }

  [inspect.custom](): string {
    return shown
  }
}

/** The same object, of which util.inspect and JSON show nothing: for classes of others that hold secrets in the open. */
export function conceal<T extends object>(holder: T): T {
  const show = { value: () => shown }
  return Object.defineProperties(holder, { toJSON: show, [inspect.custom]: show })
}

/** `text` with `secret` blotted out wherever it stands; a very short one is left, for it is part of any text. */
export function blot(text: string, secret: string): string {
  return secret.length < 6 ? text : text.replaceAll(secret, shown)
}
