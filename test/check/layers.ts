import { execFileSync } from 'node:child_process'
import type { IForbiddenRuleType } from 'dependency-cruiser'
import { cruise } from 'dependency-cruiser'

/**
 * Checks the layers of operator/ and cli/ with dependency-cruiser, and that it really saw every module: without @swc/core
 * TypeScript 7 files are skipped in silence. Prints what it found; exit code 1 when something is wrong.
 */

/** Each folder and all it may import; anything else is an error. */
const layers: Record<string, { folders: string[]; packages: string[] }> = {
  api: { folders: ['api'], packages: ['zod'] },
  render: { folders: ['api'], packages: [] },
  status: { folders: ['api'], packages: [] },
  kube: { folders: ['api'], packages: ['@kubernetes/client-node', 'undici'] },
  runtime: { folders: ['api', 'kube'], packages: ['pino', 'prom-client'] },
  clusters: { folders: ['api', 'kube', 'runtime'], packages: ['js-yaml'] },
  apply: { folders: ['api', 'kube', 'render', 'runtime'], packages: [] },
  controllers: { folders: ['api', 'kube', 'render', 'apply', 'status', 'runtime'], packages: ['pino'] },
}

const layerRules: IForbiddenRuleType[] = Object.entries(layers).map(([name, { folders, packages }]) => ({
  name: `layer-${name}`,
  severity: 'error' as const,
  from: { path: `^operator/${name}/` },
  to: {
    pathNot: [`^operator/(${[name, ...folders].join('|')})/`, ...packages.map((each) => `^node_modules/${each}/`)],
    dependencyTypesNot: ['core'],
  },
}))

const forbidden: IForbiddenRuleType[] = [
  ...layerRules,
  { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  {
    name: 'controllers-do-not-know-each-other',
    severity: 'error',
    from: { path: '^operator/controllers/([^/]+)/' },
    to: { path: '^operator/controllers/([^/]+)/', pathNot: '^operator/controllers/$1/' },
  },
  { name: 'nobody-imports-main', severity: 'error', from: {}, to: { path: '^operator/main\\.ts$' } },
  {
    name: 'runtime-knows-no-kind-of-ours',
    severity: 'error',
    from: { path: '^operator/runtime/' },
    to: {
      path: '^operator/api/',
      pathNot: '^operator/api/(meta|kind|conditions|eventReasons|builtin|canonical)\\.ts$',
    },
  },
  {
    name: 'only-kube-speaks-to-the-api-server',
    severity: 'error',
    from: { path: '^operator/', pathNot: '^operator/kube/' },
    to: { path: '^node_modules/(@kubernetes/client-node|undici)/' },
  },
  {
    name: 'operator-imports-no-tests',
    severity: 'error',
    from: { path: '^(operator|cli|crds|charts|integrations)/' },
    to: { path: '^test/', pathNot: '^test/cluster/' },
  },
  {
    name: 'cli-stands-on-the-operator',
    severity: 'error',
    // What makes one file of it is no part of it.
    from: { path: '^cli/', pathNot: '^cli/build\\.ts$' },
    to: { pathNot: '^(cli|operator)/|^node_modules/(yaml|zod)/', dependencyTypesNot: ['core'] },
  },
  {
    name: 'operator-does-not-know-cli',
    severity: 'error',
    from: { path: '^(operator|crds|charts|integrations)/' },
    to: { path: '^cli/' },
  },
  { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
]

const folders = ['operator', 'cli', 'crds', 'charts', 'integrations']

const { output } = await cruise(folders, {
  ruleSet: { forbidden },
  validate: true,
  doNotFollow: { path: 'node_modules' },
  tsPreCompilationDeps: true,
  parser: 'swc',
  enhancedResolveOptions: {
    extensions: ['.ts', '.mjs', '.js', '.cjs'],
    exportsFields: ['exports'],
    conditionNames: ['import', 'node', 'default'],
  },
})
if (typeof output === 'string') throw new TypeError('expected the result as an object')

const seen = new Set(output.modules.map(({ source }) => source))
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...folders], {
  encoding: 'utf8',
})
const unseen = files.split('\n').filter((file) => file.endsWith('.ts') && !seen.has(file))
const hasImports = output.modules.some(({ dependencies }) => dependencies.length > 0)

for (const { rule, from, to } of output.summary.violations) process.stderr.write(`${rule.name}: ${from} → ${to}\n`)
for (const file of unseen) process.stderr.write(`not seen by dependency-cruiser: ${file}\n`)
if (!hasImports) process.stderr.write('dependency-cruiser saw no import at all: is @swc/core installed?\n')
process.stdout.write(`layers: ${seen.size} modules, ${output.summary.violations.length} violations\n`)
process.exitCode = output.summary.violations.length > 0 || unseen.length > 0 || !hasImports ? 1 : 0
