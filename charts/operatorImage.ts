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

/**
 * By how many percent V8's heap may grow before it is collected again. Left to itself, V8 lets it grow to thrice what is
 * in use while there is much to do, and keeps the pages for long after; this costs a tenth more CPU.
 */
const heapGrowth = 20

/**
 * glibc's, in bytes: what is free goes back to the kernel, at once where it is large, and all threads share one arena, for
 * all but the first hardly allocate. Left to itself, glibc raises both bounds as it goes on.
 */
const allocator = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' }

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
    entrypoint: [
      'node',
      `--max-semi-space-size=${semiSpace}`,
      `--heap-growing-percent=${heapGrowth}`,
      'operator/main.js',
    ],
    environment: { NODE_ENV: 'production', ...allocator },
    ports: [8081, 8080],
  }
}
