import { describe, expect, it } from '@jest/globals'
import type { AppInstance } from '../../../operator/api/appInstance.ts'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import { promotionOf } from '../../../cli/promotion.ts'

const instance = (spec: object): AppInstance =>
  ({ metadata: { name: 'shop-x' }, spec: { app: 'shop', env: 'x', ...spec } }) as unknown as AppInstance

const release = {
  spec: {
    stackRevision: 'shop-1.1',
    services: [
      { name: 'web', main: true, image: 'web:2' },
      { name: 'api', image: 'api:2' },
      { name: 'jobs', image: 'web:2' },
    ],
  },
} as unknown as AppRelease

describe('a promotion', () => {
  it('pins the revision, takes the image of the main service, and leaves all else', () => {
    const to = instance({ image: 'web:1', replicas: 3, variables: [{ name: 'A', value: 'b' }] })
    const { spec, changes } = promotionOf(instance({ image: 'web:2' }), release, to)
    expect(spec).toEqual({ ...to.spec, image: 'web:2', stack: { revision: 'shop-1.1' } })
    expect(changes).toEqual(['stack.revision: <none> → shop-1.1', 'image: web:1 → web:2'])
  })

  it('takes what runs, not what is asked for by now', () => {
    expect(promotionOf(instance({ image: 'web:3' }), release, instance({ image: 'web:1' })).spec.image).toBe('web:2')
  })

  it('names no image where neither does: it comes with the revision', () => {
    const stack = { revision: 'shop-1.0', autoUpgrade: false }
    const { spec, changes } = promotionOf(instance({}), release, instance({ stack }))
    expect(spec).toEqual({ app: 'shop', env: 'x', stack: { revision: 'shop-1.1', autoUpgrade: false } })
    expect(changes).toEqual(['stack.revision: shop-1.0 → shop-1.1'])
  })

  it('takes the images of overrides of either, and keeps what else they say', () => {
    const from = instance({ services: [{ name: 'api', image: 'api:2', replicas: 1 }] })
    const to = instance({
      services: [
        { name: 'jobs', image: 'web:1', replicas: 5 },
        { name: 'gone', image: 'gone:1' },
      ],
    })
    const { spec, changes } = promotionOf(from, release, to)
    expect(spec.services).toEqual([
      { name: 'jobs', image: 'web:2', replicas: 5 },
      { name: 'gone', image: 'gone:1' },
      { name: 'api', image: 'api:2' },
    ])
    expect(changes.slice(1)).toEqual(['services[jobs].image: web:1 → web:2', 'services[api].image: <none> → api:2'])
  })

  it('changes nothing of what says so already', () => {
    const to = instance({ image: 'web:2', stack: { revision: 'shop-1.1' } })
    expect(promotionOf(instance({ image: 'web:2' }), release, to)).toEqual({ spec: to.spec, changes: [] })
  })
})
