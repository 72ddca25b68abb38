import { join } from 'node:path'
import type { ImageSpec } from '../../test/cluster/image.ts'

/** The image of one version of hello: Node, server.js, and the version as a variable. */
export function helloImage(name: string, version: string): ImageSpec {
  return {
    name,
    node: true,
    files: {
      '/app/server.js': join(import.meta.dirname, 'server.js'),
      '/app/package.json': { text: '{"type":"module"}\n' },
    },
    environment: { HELLO_VERSION: version },
    workingFolder: '/app',
    entrypoint: ['node', 'server.js'],
    ports: [8080],
  }
}
