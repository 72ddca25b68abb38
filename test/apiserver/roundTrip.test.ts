import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import type { AppRelease } from '../../operator/api/appRelease.ts'
import { appReleaseKind } from '../../operator/api/appRelease.ts'
import type { AppStackRevision } from '../../operator/api/appStackRevision.ts'
import { appStackRevisionKind } from '../../operator/api/appStackRevision.ts'
import { canonical } from '../../operator/api/canonical.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient, type PooledKubeClient } from '../../operator/kube/restClient.ts'
import { changesBetween } from '../../operator/render/changes.ts'
import { resolve } from '../../operator/render/resolve/resolve.ts'
import { nextRevision } from '../../operator/render/revision.ts'
import { apiServer, dropNamespace, establishCrds, makeNamespace } from '../support/apiserver.ts'
import type { Admin } from '../support/apiserver.ts'
import { inputs, releaseOf } from '../unit/render/generated.ts'

jest.setTimeout(120_000)

/** What we store comes back as it was; else there would be a new release, or a new revision, for ever. */

let admin: Admin
let kube: PooledKubeClient
let namespace: string
let count = 0

beforeAll(async () => {
  const server = await apiServer()
  admin = server.admin
  await establishCrds(admin)
  kube = makeKubeClient(loadKubeConfig(server.cluster.kubeconfig))
  namespace = await makeNamespace(admin, 'round-trip')
}, 300_000)

afterAll(async () => {
  await dropNamespace(admin, namespace)
  await kube?.close()
})

const nameIn = (kind: string): { name: string; namespace: string } => ({ name: `${kind}-${(count += 1)}`, namespace })

describe('stored by the server and read again,', () => {
  it('a release is what it was, and nothing is pending against it', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        const { services, objections } = resolve(input)
        fc.pre(objections.length === 0)
        const release = releaseOf(input)
        const { ownerReferences: _owner, ...metadata } = {
          ownerReferences: [],
          ...release.metadata,
          ...nameIn('release'),
        }
        const made = (await kube.create(appReleaseKind, { ...release, metadata })) as AppRelease
        expect(canonical(made.spec)).toBe(canonical(release.spec))
        expect(changesBetween(made.spec, { services, stackRevision: release.spec.stackRevision })).toEqual([])
      }),
      { numRuns: 40 },
    )
  })

  it('a revision has the content that was published, and is not published again', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async ({ services }) => {
        const next = nextRevision({ namespace, name: 'shop', services }, [])!
        const made = await kube.create(appStackRevisionKind, { ...next, metadata: nameIn('revision') })
        expect(nextRevision({ namespace, name: 'shop', services }, [made as AppStackRevision])).toBeUndefined()
      }),
      { numRuns: 40 },
    )
  })
})
