import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { appEnvKind } from '../../../operator/api/appEnv.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { createDefaultEnvs } from '../../../operator/controllers/appEnv/defaultEnvs.ts'
import type { KubeClient } from '../../../operator/kube/client.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { Informers } from '../../../operator/runtime/informers.ts'
import { makeFakeClock } from '../runtime/fakeClock.ts'

type Answer = (object: KubeObject, signal?: AbortSignal) => Promise<KubeObject>

/** Creates them in a cluster without any, at a server that answers so. */
async function create(
  answer: Answer,
  signal = new AbortController().signal,
): Promise<{ asked: string[]; log: string[] }> {
  const [asked, lines]: [string[], string[]] = [[], []]
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const client: Pick<KubeClient, 'create' | 'list' | 'watch'> = {
    create(_type, object, options) {
      asked.push(object.metadata.name)
      return answer(object, options?.signal)
    },
    list: () => Promise.reject(new Error('not called')),
    watch: () => {
      throw new Error('not called')
    },
  }
  const cache = new Informers({ client, informers: [{ type: appEnvKind }], clock: makeFakeClock(), log })
  await createDefaultEnvs({ client, cache, log, signal })
  return { asked, log: lines.map((line) => (JSON.parse(line) as { msg: string }).msg) }
}

describe('the default AppEnvs', () => {
  it('are three; one that is refused is told of, one that is there is not', async () => {
    const { asked, log } = await create(async (object) => {
      if (object.metadata.name === 'prod') throw new KubeError('Forbidden', 'no')
      if (object.metadata.name === 'staging') throw new KubeError('AlreadyExists', 'there')
      return object
    })
    expect(asked).toEqual(['prod', 'staging', 'dev'])
    expect(log).toEqual(['Failed to create a default AppEnv', 'Creating default AppEnv'])
  })

  it('are given up at the stop, also the one under way, without a word', async () => {
    const stop = new AbortController()
    const never: Answer = (_object, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new KubeError('Aborted', 'aborted')))
        stop.abort()
      })
    expect(await create(never, stop.signal)).toEqual({ asked: ['prod'], log: [] })
  })
})
