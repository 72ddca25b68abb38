import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { dump, loadAll } from 'js-yaml'

/** What `kubectl apply -k charts/kustomize` installs beside the CRDs: what Helm would, without what is Helm's. */

const chart = join(import.meta.dirname, 'appstead')

interface Labelled {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: { readonly template?: Labelled }
}

/** The text of charts/kustomize/operator.yaml. In: the command of a Helm 4. Throws with Helm's words. */
export function printKustomizeInstall(helm: string): string {
  const where = ['--namespace', 'appstead-system', '--kube-version', '1.36.0']
  const args = ['template', 'appstead', chart, ...where, '--set', 'crds.enabled=false', '--no-hooks']
  const objects = loadAll(execFileSync(helm, args, { encoding: 'utf8' })).filter((each) => each !== null)
  const texts = (objects as Labelled[]).map((object) => dump(withoutHelm(object), { lineWidth: -1, noRefs: true }))
  return `# What the chart makes, recorded by test/unit/charts/kustomizeInstall.test.ts; do not edit.\n${texts.join('---\n')}`
}

function withoutHelm<T extends Labelled>(object: T): T {
  const { metadata, spec } = object
  const { 'helm.sh/chart': _chart, 'app.kubernetes.io/managed-by': _helm, ...labels } = metadata.labels ?? {}
  return {
    ...object,
    metadata: { ...metadata, ...(metadata.labels && { labels }) },
    ...(spec?.template?.metadata && { spec: { ...spec, template: withoutHelm(spec.template) } }),
  }
}
