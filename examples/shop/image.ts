import { join } from 'node:path'
import { checkout } from '../../test/cluster/layout.ts'
import type { ImageSpec } from '../../test/cluster/image.ts'

/** What of this folder is in the image. */
const programs = ['server.js', 'worker.js', 'migrate.js', 'seed.js', 'database.js']

/** The image of one version of shop: Node, its programs, and the client of PostgreSQL that they use. */
export function shopImage(name: string, version: string): ImageSpec {
  return {
    name,
    node: true,
    files: {
      ...Object.fromEntries(programs.map((file) => [`/app/${file}`, join(import.meta.dirname, file)])),
      '/app/package.json': { text: '{"type":"module"}\n' },
      '/app/node_modules/postgres': join(checkout, 'node_modules/postgres'),
    },
    environment: { SHOP_VERSION: version },
    workingFolder: '/app',
    entrypoint: ['node', 'server.js'],
    ports: [8080],
  }
}
