/** Which pages are walked, and where; test/unit/docs fails for a page with commands that is not here. */

/** Those that need pods which run: test/node/docs.test.ts. */
export const nodePages = ['docs/quickstart.md'] as const

/** Those that need an API server and the operator, side by side: test/apiserver/docs.test.ts. */
export const kwokPages = [
  'README.md',
  'docs/errored.md',
  'docs/gitops.md',
  'docs/how-to/access.md',
  'docs/how-to/actions.md',
  'docs/how-to/deletion.md',
  'docs/how-to/deploying.md',
  'docs/how-to/environments.md',
  'docs/how-to/health.md',
  'docs/how-to/links.md',
  'docs/how-to/plugin.md',
  'docs/how-to/revisions.md',
  'docs/how-to/scaling.md',
  'docs/how-to/status.md',
  'docs/how-to/variables.md',
  'docs/how-to/volumes.md',
  'docs/security.md',
] as const

/** Walked there, too, around all the others: section by section. */
export const installPage = 'docs/install.md'

/** What the readers of a page have before they begin; where they have nothing but the operator, it is not here. */
export const setups: Readonly<Record<string, string>> = {
  'docs/gitops.md': `
kubectl create namespace argocd
kubectl create configmap argocd-cm --namespace argocd
kubectl create namespace team-greeter
sed 's/hello-dev/greeter-preview/; s/app: hello/app: greeter/' examples/hello/hello.yaml | kubectl apply --namespace team-greeter -f -`,
}

/** By page, or folder of pages: the test file that runs its commands in a way of its own. */
export const elsewhere: Readonly<Record<string, string>> = {
  'docs/runbooks/': 'test/apiserver/product/monitoring.test.ts',
}
