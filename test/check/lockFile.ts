import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Checks that package-lock.json names every optional package, also those of other platforms: `npm install` leaves out
 * what a registry does not serve, and `npm ci` then refuses the whole file. `--write` adds what is missing.
 */

interface Entry {
  readonly version?: string
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const file = 'package-lock.json'
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Entry> }
const platform = /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|x64|ia32|ppc64|s390x|riscv64|loong64)/

/** What npm writes for a package that belongs to another platform; undefined for one that belongs to none. */
function entryOf(name: string, version: string, { dev }: Entry): object | undefined {
  const [, os, cpu] = platform.exec(name) ?? []
  if (os === undefined) return undefined
  const libc =
    os !== 'linux' ? undefined : name.includes('musl') ? ['musl'] : name.includes('gnu') ? ['glibc'] : undefined
  return { version, cpu: [cpu], ...(dev && { dev }), ...(libc && { libc }), optional: true, os: [os] }
}

const missing = Object.values(lock.packages).flatMap((entry) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`)))
    .flatMap(([name, version]) => ({ name, entry: entryOf(name, version, entry) }))
    .filter(({ entry: made }) => made !== undefined),
)

if (process.argv.includes('--write')) {
  for (const { name, entry } of missing) lock.packages[`node_modules/${name}`] = entry as Entry
  const { '': root, ...packages } = lock.packages
  const sorted = Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1))
  lock.packages = { '': root ?? {}, ...Object.fromEntries(sorted) }
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
} else if (missing.length > 0) {
  process.stderr.write(`${file} lacks ${missing.map(({ name }) => name).join(', ')}; run: npm run lock\n`)
  process.exitCode = 1
}
