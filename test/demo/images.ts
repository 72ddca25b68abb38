import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { operatorImage } from '../../charts/operatorImage.ts'
import { helloImage } from '../../examples/hello/image.ts'
import { shopImage } from '../../examples/shop/image.ts'
import { loadImage, type Cluster } from '../cluster/cluster.ts'
import { makeImage, type ImageSpec } from '../cluster/image.ts'
import { layoutOf } from '../cluster/layout.ts'
import { withProgress, type Report } from '../cluster/progress.ts'
import { writeWhole } from '../cluster/state.ts'

/** The images of the demo, by name, as the cluster pulls them. */
export interface DemoImages {
  readonly operator: { readonly repository: string; readonly tag: string }
  readonly hello: (version: '1' | '2') => string
  readonly shop: (version: '1' | '2') => string
}

interface Made {
  readonly spec: ImageSpec
  /** The content it is made from, in a few characters. */
  readonly fingerprint: string
}

const root = join(import.meta.dirname, '../..')

/** Where the images' names begin when they are put on the node of a cluster of ours. */
const ownPrefix = 'appstead.local'

/** The names of the demo's images. Prefix: registry and path they are pulled from. */
export function nameImages(prefix: string = ownPrefix): DemoImages {
  return {
    // A tag of its own for each content, so that a changed operator is a change of the Deployment.
    operator: { repository: `${prefix}/operator`, tag: `demo-${operatorFingerprint()}` },
    hello: (version) => `${prefix}/hello:${version}`,
    shop: (version) => `${prefix}/shop:${version}`,
  }
}

/**
 * Makes the images that the cluster's node does not have yet and puts them there.
 * Throws when that cannot be done, and for a cluster that was given to us: it pulls its images from a registry.
 */
export async function ensureImages(cluster: Cluster, images: DemoImages, report: Report): Promise<void> {
  const known = readLoaded(cluster)
  const missing = specsOf(images).filter(({ spec, fingerprint }) => known[spec.name] !== fingerprint)
  if (missing.length === 0) return report('  the node has them already')
  const folder = mkdtempSync(join(tmpdir(), 'appstead-images-'))
  try {
    for (const { spec, fingerprint } of missing) {
      const file = join(folder, 'image.tar')
      await withProgress(report, `  making ${spec.name} and putting it on the node`, 6, async () => {
        await makeImage(spec, file)
        report(`    ${Math.round(statSync(file).size / 1e6)} MB`)
        await loadImage(file, { name: cluster.name, report })
      })
      known[spec.name] = fingerprint
      writeWhole(loadedFile(cluster), JSON.stringify(known))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Makes all images as files in a folder; returns their paths. */
export async function writeImages(folder: string, images: DemoImages): Promise<readonly string[]> {
  const files: string[] = []
  for (const { spec } of specsOf(images)) {
    const file = join(folder, `${spec.name.slice(spec.name.lastIndexOf('/') + 1).replace(':', '-')}.tar`)
    files.push((await makeImage(spec, file)).path)
  }
  return files
}

function specsOf(images: DemoImages): readonly Made[] {
  const { repository, tag } = images.operator
  const hello = fingerprintOf(['examples/hello', 'test/cluster/image.ts'])
  const shop = fingerprintOf(['examples/shop', 'package-lock.json', 'test/cluster/image.ts'])
  return [
    { spec: operatorImage(`${repository}:${tag}`), fingerprint: operatorFingerprint() },
    { spec: helloImage(images.hello('1'), '1'), fingerprint: hello },
    { spec: helloImage(images.hello('2'), '2'), fingerprint: hello },
    { spec: shopImage(images.shop('1'), '1'), fingerprint: shop },
    { spec: shopImage(images.shop('2'), '2'), fingerprint: shop },
  ]
}

function operatorFingerprint(): string {
  return fingerprintOf([
    'operator',
    'package.json',
    'package-lock.json',
    'charts/operatorImage.ts',
    'test/cluster/image.ts',
  ])
}

function fingerprintOf(paths: readonly string[]): string {
  const hash = createHash('sha256').update(process.version)
  for (const path of paths.flatMap(filesBelow).toSorted()) hash.update(path).update(readFileSync(join(root, path)))
  return hash.digest('hex').slice(0, 12)
}

function filesBelow(path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path)).flatMap((name) => filesBelow(`${path}/${name}`))
}

/** Goes with the cluster: a node that is made anew has no images. */
const loadedFile = (cluster: Cluster): string => join(layoutOf(cluster.name).folder, 'demo-images.json')

function readLoaded(cluster: Cluster): Record<string, string> {
  try {
    return JSON.parse(readFileSync(loadedFile(cluster), 'utf8')) as Record<string, string>
  } catch {
    return {}
  }
}
