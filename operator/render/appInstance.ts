import type { AppInstance } from '../api/appInstance.ts'
import type { AppRelease, ResolvedService } from '../api/appRelease.ts'
import { configMapType } from '../api/builtin.ts'
import { makeFilesConfigMap } from './configMap.ts'
import { makeDeployment } from './deployment.ts'
import type { Owner } from './labels.ts'
import { filesName } from './names.ts'
import type { Claim } from './namespace.ts'
import { makeNamespace, makeServiceAccount } from './namespace.ts'
import { makeBaseNetworkPolicy, makeHttpNetworkPolicy } from './networkPolicy.ts'
import type { Desired, Plan } from './plan.ts'
import { makePodDisruptionBudget } from './podDisruptionBudget.ts'
import { makeGeneratedSecret } from './secret.ts'
import { makeService } from './service.ts'

/** Raised by one whenever the same release would render other pods; older releases keep rendering as they did. */
export const renderVersion = 1

/** Who the objects of an instance are made for. */
export function ownerOf(instance: AppInstance): Owner {
  return {
    app: instance.spec.app,
    env: instance.spec.env,
    instance: instance.metadata.name,
    project: instance.metadata.namespace ?? '',
  }
}

interface Input {
  readonly owner: Owner
  readonly claim: Claim
  /** The release that should run: pods are rendered from it alone. */
  readonly release: AppRelease
  /** Older releases that are kept: what they name is not pruned. */
  readonly kept: readonly AppRelease[]
}

/**
 * What should exist for an instance.
 * In: its owner and claim, the release that should run, the releases that are kept. Out: the plan, stage by stage:
 * the namespace, what pods need before they start, the services.
 */
export function renderInstance({ owner, claim, release, kept }: Input): Plan {
  const services = release.spec.services
  return {
    stages: [
      { name: 'namespace', objects: [makeNamespace(owner, claim)] },
      {
        name: 'configuration',
        objects: [
          makeServiceAccount(owner),
          makeBaseNetworkPolicy(owner),
          ...services.flatMap((service) => configurationOf(owner, service)),
        ],
      },
      { name: 'services', objects: services.flatMap((service) => workloadOf(owner, service)) },
    ],
    keep: kept.flatMap(filesOf),
  }
}

function configurationOf(owner: Owner, service: ResolvedService): Desired[] {
  return [
    ...(service.files.length > 0 ? [makeFilesConfigMap(owner, service)] : []),
    ...service.generatedSecrets.map((secret) => makeGeneratedSecret(owner, service, secret)),
  ]
}

function workloadOf(owner: Owner, service: ResolvedService): Desired[] {
  return [
    ...(service.ports.length > 0 ? [makeService(owner, service)] : []),
    ...(service.ports.some(({ protocol }) => protocol === 'HTTP') ? [makeHttpNetworkPolicy(owner, service)] : []),
    ...(service.replicas >= 2 ? [makePodDisruptionBudget(owner, service)] : []),
    makeDeployment(owner, service),
  ]
}

function filesOf(release: AppRelease): Plan['keep'][number][] {
  return release.spec.services
    .filter(({ files }) => files.length > 0)
    .map(({ name, files }) => ({ type: configMapType, name: filesName(name, files) }))
}
