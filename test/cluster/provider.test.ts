import { describe, expect, it } from '@jest/globals'
import { layoutOf } from './layout.ts'
import { chooseProvider, parseLevel, findGiven, type Surroundings } from './provider.ts'

const bare: Surroundings = { environment: {}, platform: 'linux', root: true, findEngine: async () => undefined }
const withDocker: Surroundings = { ...bare, findEngine: async () => 'docker' }
const mac: Surroundings = { ...bare, platform: 'darwin', root: false }

async function failToAsk(): Promise<string> {
  throw new Error('asked')
}

describe('the cluster that is chosen', () => {
  it.each([
    ['root on Linux', undefined, bare, 'local', 'node'],
    ['root on Linux', 'node', bare, 'local', 'node'],
    ['root on Linux', 'control', bare, 'local', 'control'],
    ['a container engine', undefined, withDocker, 'kind', 'node'],
    ['a container engine', 'node', withDocker, 'kind', 'node'],
    ['a container engine, of which a control plane makes no use', 'control', withDocker, 'local', 'control'],
    ['a container engine, of which kwok makes no use', 'kwok', withDocker, 'local', 'kwok'],
    ['a Mac', undefined, mac, 'local', 'control'],
    ['a Mac', 'kwok', mac, 'local', 'kwok'],
  ] as const)('with %s and LEVEL=%s', async (_where, level, surroundings, provider, chosen) => {
    const choice = await chooseProvider(level, surroundings)
    expect(choice).toMatchObject({ provider, level: chosen })
    expect(choice.why).not.toBe('')
  })

  it('is none where a node cannot be had, and the error says what is missing and what works', async () => {
    await expect(chooseProvider('node', mac)).rejects.toThrow(
      'LEVEL=node needs Linux and root, or a container engine (docker, podman, nerdctl) for kind: none answers. ' +
        'LEVEL=control and LEVEL=kwok work without',
    )
    await expect(chooseProvider('node', { ...bare, root: false })).rejects.toThrow(
      'LEVEL=node needs root, or a container',
    )
  })

  it('does not ask for a container engine where none is of use', async () => {
    await expect(chooseProvider('control', { ...bare, findEngine: failToAsk })).resolves.toMatchObject({
      provider: 'local',
    })
  })
})

describe('the cluster of KUBECONFIG', () => {
  it('is never taken without being told', () => {
    expect(findGiven({ KUBECONFIG: '/home/me/.kube/production' })).toBeUndefined()
    expect(findGiven({ KUBECONFIG: '/home/me/.kube/production', APPSTEAD_USE_KUBECONFIG: '' })).toBeUndefined()
    expect(findGiven({ KUBECONFIG: '/home/me/.kube/production', APPSTEAD_USE_KUBECONFIG: '0' })).toBeUndefined()
  })

  it('is taken when told', () => {
    expect(findGiven({ KUBECONFIG: 'mine', APPSTEAD_USE_KUBECONFIG: '1' })).toBe('mine')
  })

  it('must be named', () => {
    expect(() => findGiven({ APPSTEAD_USE_KUBECONFIG: '1' })).toThrow('KUBECONFIG is not set')
  })

  it('is not taken on an unclear word', () => {
    expect(() => findGiven({ KUBECONFIG: 'mine', APPSTEAD_USE_KUBECONFIG: 'true' })).toThrow(
      'APPSTEAD_USE_KUBECONFIG="true": 1 takes the cluster of KUBECONFIG',
    )
  })
})

describe('what a user may write', () => {
  it('names the levels when one is unknown', () => {
    expect(() => parseLevel('Node')).toThrow('LEVEL="Node" is no level: use one of control, kwok, node')
  })

  it.each(['', '..', 'a/b', 'A', 'bin', 'kubeconfig', '-a', 'a-', 'a b', "a'b", 'x'.repeat(33)])(
    'refuses %j as a name',
    (name) => {
      expect(() => layoutOf(name)).toThrow(`NAME=${JSON.stringify(name)} cannot name a cluster`)
    },
  )

  it('gives the same name another identity in another checkout', () => {
    expect(layoutOf('a', '/one').id).not.toBe(layoutOf('a', '/two').id)
    expect(layoutOf('a', '/one').id).toBe(layoutOf('a', '/one').id)
  })

  it('puts the kubeconfig where the README says', () => {
    expect(layoutOf('default', '/one').kubeconfig).toBe('/one/.cluster/kubeconfig')
    expect(layoutOf('a', '/one').kubeconfig).toBe('/one/.cluster/a/kubeconfig')
  })
})
