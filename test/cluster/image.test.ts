import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { makeImage, productionPackages } from './image.ts'
import { checkout } from './layout.ts'
import { run } from './process.ts'
import { layOutOperator } from '../support/shippedOperator.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'appstead-image-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

const longName = `${'long-folder-name-'.repeat(8)}/${'file-'.repeat(30)}.js`

function makeTree(name: string): string {
  const root = join(folder, name)
  mkdirSync(join(root, 'sub'), { recursive: true })
  mkdirSync(join(root, longName, '..'), { recursive: true })
  writeFileSync(join(root, 'sub', 'b.txt'), 'b')
  writeFileSync(join(root, 'a.sh'), 'a', { mode: 0o755 })
  writeFileSync(join(root, 'left-out.txt'), 'x')
  writeFileSync(join(root, longName), 'long')
  symlinkSync('sub/b.txt', join(root, 'link'))
  symlinkSync(longName, join(root, 'long-link'))
  return root
}

const spec = (root: string) => ({
  name: 'appstead.local/test:1',
  files: { '/app': root, '/etc/motto': { text: 'hello' } },
  without: (path: string) => path.endsWith('left-out.txt'),
  entrypoint: ['/app/a.sh'],
  environment: { COLOR: 'blue' },
  ports: [8080],
})

interface Manifest {
  config: { digest: string }
  layers: { digest: string }[]
}

async function unpack(path: string): Promise<{ manifest: Manifest; config: unknown; layer: string }> {
  const to = `${path}.d`
  mkdirSync(to)
  await run('tar', ['-xf', path, '-C', to])
  const blob = (digest: string): string => join(to, 'blobs', 'sha256', digest.slice(7))
  const index = JSON.parse(readFileSync(join(to, 'index.json'), 'utf8')) as { manifests: { digest: string }[] }
  const manifest = JSON.parse(readFileSync(blob(index.manifests[0]?.digest ?? ''), 'utf8')) as Manifest
  return {
    manifest,
    config: JSON.parse(readFileSync(blob(manifest.config.digest), 'utf8')),
    layer: blob(manifest.layers[0]?.digest ?? ''),
  }
}

describe('an image', () => {
  it('has the same digest when its files are the same, whatever their times and order of creation', async () => {
    const [one, two] = [makeTree('one'), makeTree('two')]
    utimesSync(join(two, 'a.sh'), 1, 1)
    const first = await makeImage(spec(one), join(folder, 'first.tar'))
    const second = await makeImage(spec(two), join(folder, 'second.tar'))
    expect(second.digest).toBe(first.digest)
    writeFileSync(join(two, 'a.sh'), 'changed')
    expect((await makeImage(spec(two), join(folder, 'third.tar'))).digest).not.toBe(first.digest)
  })

  it('holds the files, with their rights, long names and links, and nobody as its user', async () => {
    const { path } = await makeImage(spec(makeTree('three')), join(folder, 'whole.tar'))
    const { config, layer } = await unpack(path)
    const listing = await run('tar', ['-tvf', layer])
    expect(listing).toMatch(/^-rwxr-xr-x 0\/0 +1 1970-01-01 00:00 app\/a\.sh$/m)
    expect(listing).toMatch(/^-rw-r--r-- 0\/0 +1 1970-01-01 00:00 app\/sub\/b\.txt$/m)
    expect(listing).toMatch(/^lrwxrwxrwx .* app\/link -> sub\/b\.txt$/m)
    expect(listing).toMatch(/^drwxrwxrwt .* tmp\/$/m)
    expect(listing).toContain(` app/${longName}\n`)
    expect(listing).toContain(` app/long-link -> ${longName}\n`)
    expect(listing).not.toContain('left-out')
    expect(await run('tar', ['-xOf', layer, 'etc/motto'])).toBe('hello')
    expect(config).toMatchObject({
      os: 'linux',
      config: {
        User: '65532:65532',
        Entrypoint: ['/app/a.sh'],
        Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'COLOR=blue'],
        ExposedPorts: { '8080/tcp': {} },
      },
    })
  })

  it('with Node has the libraries that Node needs', async () => {
    const { path } = await makeImage(
      { name: 'appstead.local/node:1', node: true, entrypoint: ['node'] },
      join(folder, 'node.tar'),
    )
    const { layer } = await unpack(path)
    const listing = await run('tar', ['-tf', layer])
    expect(listing).toMatch(/^usr\/local\/bin\/node$/m)
    expect(listing).toMatch(/libc\.so/)
    expect(listing).toMatch(/ld-linux/)
  }, 30_000)

  it.each(['hello', 'hello:1', 'local/hello:1', 'appstead.local/hello', 'appstead.local/Hello:1', 'a.b/c:1; rm', ''])(
    'is not made under the name %j, which a cluster would look for elsewhere',
    async (name) => {
      await expect(makeImage({ name, entrypoint: ['/x'] }, join(folder, 'bad.tar'))).rejects.toThrow('is no image name')
    },
  )

  it('names a file that is not there', async () => {
    const files = { '/app/x': join(folder, 'nothing-here') }
    await expect(
      makeImage({ name: 'appstead.local/x:1', files, entrypoint: ['/x'] }, join(folder, 'bad.tar')),
    ).rejects.toThrow('nothing-here')
  })

  it.each([
    ['grows', 'more'],
    ['shrinks', ''],
  ])('names a file that %s after it was listed', async (_, content) => {
    const changing = join(folder, 'changing.log')
    writeFileSync(changing, '1 2')
    const change = (): boolean => {
      writeFileSync(changing, content)
      return false
    }
    const files = { '/app/changing.log': changing, '/app/tree': makeTree(`tree-${content}`) }
    const changed = { name: 'appstead.local/x:1', files, without: change, entrypoint: ['/x'] }
    await expect(makeImage(changed, join(folder, 'bad.tar'))).rejects.toThrow(
      `${changing} had 3 bytes and changed its size while it was packed`,
    )
  })

  it('of the operator takes the production packages and no others', () => {
    const packages = productionPackages(checkout, '/app')
    expect(packages).toHaveProperty(['/app/node_modules/zod'], join(checkout, 'node_modules/zod'))
    expect(packages).toHaveProperty(['/app/node_modules/@kubernetes/client-node'])
    expect(Object.keys(packages).filter((path) => /node_modules\/(jest|typescript|oxlint|node)$/.test(path))).toEqual(
      [],
    )
  })

  it('of the operator is JavaScript that runs: what is wrong with a setting it says in one line', async () => {
    const { folder: app, arguments: args } = await layOutOperator(join(folder, 'operator'))
    const ended = spawnSync(process.execPath, args, { cwd: app, env: { APPSTEAD_WORKERS: 'many' }, encoding: 'utf8' })
    expect(ended).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'APPSTEAD_WORKERS="many": must be a whole number from 1 to 64\n',
    })
    const files = readdirSync(join(app, 'operator'), { recursive: true, encoding: 'utf8' })
    expect(files.filter((name) => /\.(ts|md)$/.test(name))).toEqual([])
  }, 30_000)
})
