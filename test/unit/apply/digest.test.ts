import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { desiredDigest, hashedOnce } from '../../../operator/apply/digest.ts'
import { planOf } from '../../../operator/controllers/appInstance/decide.ts'
import type { Desired } from '../../../operator/render/plan.ts'
import { cases, objectsOf } from '../../render/cases.ts'
import { decide, withRevisions } from '../../render/world.ts'

const configMap = (value: string): KubeObject =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { value } }) as KubeObject

function digestOf(source: object, id: string, value: string): string {
  const object = configMap(value)
  hashedOnce(source, id, object)
  return desiredDigest(object)
}

describe('the digest of a rendered object', () => {
  it.each(cases)('is that of its content, however often the plan of %s is rendered', async (name) => {
    const { seen, release } = decide(await withRevisions(objectsOf(name)))
    const render = (): Desired[] => planOf(seen, release!).stages.flatMap(({ objects }) => objects)
    const contents = render().map(({ object }) => desiredDigest(structuredClone(object)))
    for (let time = 0; time < 3; time += 1) {
      expect(render().map(({ object }) => desiredDigest(object))).toEqual(contents)
    }
  })

  it('of a namespace follows the uids it is claimed by, which no release knows', async () => {
    const { seen, release } = decide(await withRevisions(objectsOf('hello')))
    const digestFor = (hubUid: string): string =>
      desiredDigest(planOf({ ...seen, hubUid }, release!).stages[0]!.objects[0]!.object)
    expect(digestFor('one')).not.toBe(digestFor('other'))
  })

  it('is worked out once for what is rendered from one source, and for each source and id anew', () => {
    const [one, other] = [{}, {}]
    const first = digestOf(one, 'a', '1')
    // That it is not looked at again shows with content that no source may have.
    expect(digestOf(one, 'a', '2')).toBe(first)
    expect(digestOf(one, 'b', '2')).not.toBe(first)
    expect(digestOf(other, 'a', '2')).toBe(digestOf(one, 'b', '2'))
  })
})
