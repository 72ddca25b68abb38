import { join } from 'node:path'
import { productionPackages, type ImageSpec } from '../test/cluster/image.ts'
import { operatorFiles } from './operatorFiles.ts'

const root = join(import.meta.dirname, '..')

/** What no running program reads: types, source maps, texts for people. */
const idle = /\.(d\.[cm]?ts|map|md)$|\/node_modules\/@types\//

/**
 * In MB. Left to itself, Node makes it 16 where there is much memory, most of which then lies idle, and 1 in a container
 * with the chart's limit, where what is soon garbage then survives.
 */
const semiSpace = 4

/** The operator's image: Node, operator/ without its types, and the packages it needs to run. */
export function operatorImage(name: string): ImageSpec {
  return {
    name,
    node: true,
    files: {
      '/app/package.json': join(root, 'package.json'),
      ...operatorFiles('/app/operator'),
      ...productionPackages(root, '/app'),
    },
    without: (path) => idle.test(path),
    workingFolder: '/app',
    entrypoint: ['node', `--max-semi-space-size=${semiSpace}`, 'operator/main.js'],
    environment: { NODE_ENV: 'production' },
    ports: [8081, 8080],
  }
}
