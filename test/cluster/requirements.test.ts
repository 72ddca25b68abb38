import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { binaryPath } from './binaries.ts'
import { cacheFolder } from './layout.ts'
import { binariesOf } from './localCluster.ts'
import { networkOf, takenSlots } from './network.ts'
import { ensurePackages, findMissing, installCommand } from './packages.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'appstead-requirements-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function runMain(args: string[], env: Record<string, string>): Promise<{ status: number; stderr: string }> {
  const main = join(import.meta.dirname, 'main.ts')
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, _stdout, stderr) =>
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stderr }),
    )
  })
}

describe('what is missing is named', () => {
  it('Go, with the version wanted', async () => {
    const env = { PATH: folder, HOME: folder, XDG_CACHE_HOME: folder }
    const { status, stderr } = await runMain(['helm'], env)
    expect(stderr).toMatch(
      /^helm is built from its Go module and there is no 'go' on the PATH: install Go 1\.\d+\.\d+ or newer/,
    )
    expect(status).toBe(1)
  })

  it('Debian packages, with the command that installs them', async () => {
    const packages = [{ name: 'no-such-package', command: 'no-such-command' }]
    expect(findMissing(packages)).toEqual(['no-such-package'])
    await expect(ensurePackages(packages, () => undefined, false)).rejects.toThrow(
      'missing on this machine: no-such-package. On Debian, as root: apt-get update && ' +
        'apt-get install --yes --no-install-recommends no-such-package',
    )
    expect(installCommand(['a', 'b'])).toContain(' a b')
  })

  it('and nothing where all is there', async () => {
    expect(findMissing([{ name: 'coreutils', command: 'ls' }])).toEqual([])
    await expect(
      ensurePackages([{ name: 'coreutils', command: 'ls' }], () => undefined, false),
    ).resolves.toBeUndefined()
  })
})

describe('the command line', () => {
  it.each([[[]], [['fly']], [['load-image']], [['image', 'x.tar']]])('with %j shows how to use it', async (args) => {
    const { status, stderr } = await runMain(args, { HOME: folder })
    expect(stderr).toMatch(/^usage: /)
    expect(status).toBe(1)
  })

  it('names an option it does not know', async () => {
    const { stderr } = await runMain(['up', '--levle', 'node'], { HOME: folder })
    expect(stderr).toContain("Unknown option '--levle'")
  })
})

describe('binaries', () => {
  it('lie outside the work tree, by version', () => {
    expect(binaryPath('kube-apiserver')).toMatch(
      /\/appstead\/bin\/kubernetes-v1\.\d+\.\d+-[0-9a-f]{12}\/kube-apiserver$/,
    )
    expect(binaryPath('kube-apiserver').startsWith(cacheFolder())).toBe(true)
  })

  it('are built only for the level that needs them', () => {
    expect(binariesOf.control).toEqual(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'])
    expect(binariesOf.kwok).not.toContain('kubelet')
    expect(binariesOf.node).not.toContain('kwok')
  })
})

describe('the range of a cluster', () => {
  it('is free of every route that touches it', () => {
    const taken = takenSlots([
      'default',
      '192.168.0.0/16',
      '10.130.0.0/16',
      '10.140.7.0/24',
      '10.144.0.0/14',
      '10.150.1.1',
      'fe80::/64',
    ])
    expect([...taken].toSorted((one, other) => one - other)).toEqual([130, 140, 144, 145, 146, 147, 150])
  })

  it('may lie inside a private network of all of 10.0.0.0/8', () => {
    expect(takenSlots(['10.0.0.0/8'])).toEqual(new Set())
  })

  it('holds all of the cluster', () => {
    const { whole, second, ...parts } = networkOf(200)
    expect(whole).toBe('10.200.0.0/16')
    for (const part of Object.values({ ...parts, ...second })) expect(part).toMatch(/^10\.200\./)
  })
})
