import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { build } from 'esbuild'
import postject from 'postject'

/** `npm run build:cli [FOLDER]`: the plugin as one file for Node, and as one program for this platform. */

/** What Node looks for in itself. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

const from = (path: string): string => join(import.meta.dirname, path)

/** Writes both into a folder. Out: their paths. Throws when a part of it cannot be made. */
export async function buildPlugin(folder: string): Promise<{ readonly bundle: string; readonly program: string }> {
  mkdirSync(folder, { recursive: true })
  const bundle = join(folder, 'kubectl-appstead.cjs')
  const program = join(folder, `kubectl-appstead-${process.platform}-${process.arch}`)
  await build({
    entryPoints: [from('standalone.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minify: true,
    // Names of errors and functions are told to people.
    keepNames: true,
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  })
  chmodSync(bundle, 0o755)
  await injectInto(program, bundle)
  return { bundle, program }
}

/** A copy of this Node that runs the bundle, which it finds compiled. */
async function injectInto(program: string, bundle: string): Promise<void> {
  const [config, blob] = [`${program}.json`, `${program}.blob`]
  const options = { main: bundle, output: blob, disableExperimentalSEAWarning: true, useCodeCache: true }
  writeFileSync(config, JSON.stringify(options))
  execFileSync(process.execPath, ['--experimental-sea-config', config], { stdio: 'pipe' })
  rmSync(program, { force: true })
  copyFileSync(process.execPath, program)
  chmodSync(program, 0o755)
  const data = readFileSync(blob)
  const segment = process.platform === 'darwin' ? { machoSegmentName: 'NODE_SEA' } : {}
  await postject.inject(program, 'NODE_SEA_BLOB', data, { sentinelFuse: fuse, ...segment })
  for (const file of [config, blob]) rmSync(file)
}

if (import.meta.main) {
  const { bundle, program } = await buildPlugin(process.argv[2] ?? 'dist')
  process.stdout.write(`${bundle}\n${program}\n`)
}
