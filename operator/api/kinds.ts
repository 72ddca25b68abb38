import { appKind } from './app.ts'
import { appEnvKind } from './appEnv.ts'
import { appInstanceKind } from './appInstance.ts'
import { appLockKind } from './appLock.ts'
import { appReleaseKind } from './appRelease.ts'
import { appStackKind } from './appStack.ts'
import { appStackRevisionKind } from './appStackRevision.ts'
import { appTaskKind } from './appTask.ts'
import type { Kind } from './kind.ts'

/** Every kind of ours, as REFERENCE.md lists them. */
export const kinds: readonly Kind[] = [
  appEnvKind,
  appKind,
  appStackKind,
  appStackRevisionKind,
  appInstanceKind,
  appReleaseKind,
  appLockKind,
  appTaskKind,
]
