import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { makeImage, type ImageSpec } from '../cluster/image.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { layoutOf, nodeOf } from '../cluster/layout.ts'
import { holderOf, launchInside } from '../cluster/namespaces.ts'
import { forget, killAll, run } from '../cluster/process.ts'
import type { NodeWorld } from './world.ts'

/** A registry of images that asks for a login, and that the node alone reaches. */
export interface Registry {
  /** As images name it: localhost and a port. */
  readonly host: string
  /** Type and content of a Secret that logs in to it, as `kubectl create secret docker-registry` makes it. */
  readonly login: object
  /** What it answered so far, such as `200 GET /v2/`. */
  readonly answers: () => readonly string[]
  readonly stop: () => Promise<void>
}

const program = fileURLToPath(new URL('registry.mjs', import.meta.url))

/** Starts a registry with one image for whoever logs in with the password; resolves when it listens. */
export async function startRegistry({ cluster }: NodeWorld, spec: ImageSpec, password: string): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), 'appstead-registry-'))
  const image = join(folder, 'layout')
  mkdirSync(image)
  const { path } = await makeImage(spec, join(folder, 'image.tar'))
  await run('tar', ['-xf', path, '-C', image])
  const layout = layoutOf(cluster.name)
  const node = nodeOf(layout, 1)
  const holder = holderOf(layout, node)
  if (holder === undefined) throw new Error('the node is no process of this machine')
  const login = `robot:${password}`
  const args = [program, image, login]
  const started = await launchInside(layout, node, holder, { part: 'registry', command: process.execPath, args })
  const said = (): string[] => readFileSync(join(image, 'said'), 'utf8').trim().split('\n')
  await waitUntil('the registry listens', 20, async () => existsSync(join(image, 'said')))
  const host = `localhost:${said()[0]}`
  const config = { auths: { [host]: { auth: Buffer.from(login).toString('base64') } } }
  return {
    host,
    login: { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': JSON.stringify(config) } },
    answers: said,
    async stop() {
      await killAll([started])
      forget(layout.folder, node.process('registry'))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
