import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { productionPackages, type ImageSpec } from '../cluster/image.ts'

/** Appstead as it was in the beginning, unpacked. */
export interface Ground {
  readonly chart: string
  /** An App and an AppInstance of it. */
  readonly example: string
  readonly image: ImageSpec
}

/** Unpacks it into a folder; the image gets this name. */
export function unpackGround(folder: string, imageName: string): Ground {
  execFileSync('tar', ['--extract', '--gzip', '--file', join(import.meta.dirname, 'ground.tgz'), '--directory', folder])
  return {
    chart: join(folder, 'charts/appstead'),
    example: readFileSync(join(folder, 'examples/hello/hello.yaml'), 'utf8'),
    image: {
      name: imageName,
      node: true,
      files: {
        '/app/package.json': join(folder, 'package.json'),
        '/app/operator': join(folder, 'operator'),
        ...productionPackages(join(import.meta.dirname, '../..'), '/app'),
      },
      workingFolder: '/app',
      entrypoint: ['node', 'operator/main.ts'],
      environment: { NODE_ENV: 'production' },
      ports: [8081],
    },
  }
}
