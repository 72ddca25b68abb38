import { describe, expect, it } from '@jest/globals'
import type { StackService } from '../../../operator/api/service/stackService.ts'
import { withInherited } from '../../../operator/render/resolve/inherit.ts'

const volume = (path: string, more: object = {}): object => ({
  name: path.replaceAll('/', ''),
  path,
  size: '1Gi',
  accessMode: 'ReadWriteMany',
  ...more,
})

const service = (name: string, more: object): StackService => ({ name, ...more }) as unknown as StackService

const inherited = (web: object, worker: object): StackService =>
  withInherited(service('worker', { type: 'Worker', from: 'web', ...worker }), service('web', web))

const pathsOf = (items: readonly { readonly path: string }[] = []): readonly string[] => items.map(({ path }) => path)

describe('what a Worker takes of the service its from names', () => {
  it('are its volumes, with the claims that it has', () => {
    const given = volume('/given', { size: undefined, existingClaim: 'theirs' })
    const { volumes } = inherited({ volumes: [volume('/data'), given] }, {})
    expect(volumes).toMatchObject([
      { name: 'data', path: '/data', existingClaim: 'web-data' },
      { name: 'given', path: '/given', existingClaim: 'theirs' },
    ])
    expect(volumes?.some((each) => each.size !== undefined)).toBe(false)
  })

  it('is no volume at a name or path where it has one of its own', () => {
    const own = [volume('/elsewhere', { name: 'data' }), volume('/logs', { name: 'own' })]
    const { volumes } = inherited({ volumes: [volume('/data'), volume('/logs'), volume('/rest')] }, { volumes: own })
    expect(pathsOf(volumes).toSorted()).toEqual(['/elsewhere', '/logs', '/rest'])
  })

  it('is nothing that would be in the way of a file or a volume of its own', () => {
    const { volumes } = inherited(
      { volumes: [volume('/data'), volume('/data/more'), volume('/database')] },
      { files: [{ path: '/data', content: '' }] },
    )
    expect(pathsOf(volumes)).toEqual(['/database'])
    const { files } = inherited(
      { files: [{ path: '/etc/app' }, { path: '/etc/other' }] },
      { volumes: [volume('/etc/app/cache')] },
    )
    expect(pathsOf(files)).toEqual(['/etc/other'])
  })
})
