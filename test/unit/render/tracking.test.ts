import { expect, it } from '@jest/globals'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { decide, withRevisions } from '../../render/world.ts'
import { everything } from './everything.ts'

/**
 * A tool that tracks what it applied by a label or an annotation takes each object with it for its own: children that had it
 * would be shown as out of sync, or pruned.
 */

const tracking = {
  labels: {
    'app.kubernetes.io/instance': 'tracked-by-argo',
    'kustomize.toolkit.fluxcd.io/name': 'tracked-by-flux',
    'helm.toolkit.fluxcd.io/name': 'tracked-by-flux',
  },
  annotations: {
    'argocd.argoproj.io/tracking-id': 'tracked-by-argo:appstead.dev/AppInstance:team/shop',
    'argocd.argoproj.io/sync-wave': 'tracked-by-argo',
    'kubectl.kubernetes.io/last-applied-configuration': 'tracked-by-kubectl',
    'config.kubernetes.io/origin': 'tracked-by-kustomize',
  },
}

const tracked = ({ metadata, ...object }: KubeObject): KubeObject => ({
  ...object,
  metadata: {
    ...metadata,
    labels: { ...metadata.labels, ...tracking.labels },
    annotations: { ...metadata.annotations, ...tracking.annotations },
  },
})

it('what is made for an instance carries nothing that a GitOps tool tracks its own objects by', async () => {
  const world = await withRevisions(everything.map(tracked))
  const instances = world
    .filter(({ kind }) => kind === 'AppInstance')
    .map(({ metadata }) => decide(world, metadata.name))
  const written = new Set(everything.map(({ metadata }) => metadata.name))
  const published = world.filter(({ kind, metadata }) => kind === 'AppStackRevision' && !written.has(metadata.name))
  expect(instances.filter(({ plan }) => plan !== undefined)).not.toEqual([])
  expect(published).not.toEqual([])
  const made = JSON.stringify([published, instances.map(({ plan, release }) => ({ plan, release }))])
  for (const word of [...Object.keys(tracking.labels), ...Object.keys(tracking.annotations), 'tracked-by-'])
    expect(made).not.toContain(word)
})
