import type { AppInstance } from '../api/appInstance.ts'
import type { AppRelease } from '../api/appRelease.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import { appReleaseKind } from '../api/appRelease.ts'
import { apiVersion } from '../api/meta.ts'
import { shortened } from '../api/text.ts'
import { appInstanceKind } from '../api/appInstance.ts'
import { renderVersion } from './appInstance.ts'
import type { Change, Declared } from './changes.ts'
import { sentenceOf } from './changes.ts'
import { releaseName } from './names.ts'
import type { Requests } from './requests.ts'
import { handledWith, requestsOf } from './requests.ts'
import { scaledAs } from './scaling.ts'

const causeLimit = 256

/** What a release comes after, and why it is made. */
export interface Occasion {
  /** undefined for the first. */
  readonly newest?: AppRelease | undefined
  /** The last good one. */
  readonly good?: AppRelease | undefined
  /** Against the release that runs. */
  readonly changes: readonly Change[]
  /** The requests it is made for. */
  readonly asked?: Requests
  /** Of the instance, in which what is to run was declared; default: the newest. */
  readonly generation?: number
}

/**
 * The services as they are declared, with the restarts of what runs: who has been restarted stays so.
 */
export function withRestarts(services: readonly ResolvedService[], running: AppRelease): ResolvedService[] {
  const restarts = new Map(running.spec.services.map(({ name, restart }) => [name, restart]))
  return services.map((service) => {
    const restart = restarts.get(service.name)
    return restart === undefined ? service : { ...service, restart }
  })
}

/** What runs, with the numbers of replicas that are declared: they are taken along by any deployment. */
export function rescaled({ spec }: AppRelease, declared: Declared): Declared {
  const services = spec.services.map((service) =>
    scaledAs(
      declared.services.find(({ name }) => name === service.name),
      service,
    ),
  )
  return { services, stackRevision: spec.stackRevision, ...(spec.sources && { sources: spec.sources }) }
}

/**
 * The AppRelease that records what is declared now, completely: pods are rendered from it alone.
 * In: the instance, what is to run, what it comes after and why it is made. Out: the object to create.
 */
export function makeRelease(
  instance: AppInstance,
  wanted: Declared,
  { newest, good, changes, asked = {}, generation = instance.metadata.generation ?? 0 }: Occasion,
): AppRelease {
  const { name, namespace = '', uid = '' } = instance.metadata
  const number = (newest?.spec.number ?? 0) + 1
  return {
    apiVersion,
    kind: appReleaseKind.kind,
    metadata: {
      name: releaseName(name, uid, number),
      namespace,
      // Released with its instance: the history of operations, which outlives it, is kept elsewhere.
      ownerReferences: [{ apiVersion, kind: appInstanceKind.kind, name, uid }],
    } as AppRelease['metadata'],
    spec: {
      instance: name,
      instanceUid: uid,
      number,
      stackRevision: wanted.stackRevision,
      generation,
      ...(good && good.spec.stackRevision !== wanted.stackRevision && { upgradedFrom: good.spec.stackRevision }),
      renderVersion,
      cause: newest ? causeOf(changes, asked) : 'instance created',
      ...handledWith(requestsOf(instance), newest),
      services: [...wanted.services],
      ...(wanted.sources?.length && { sources: [...wanted.sources] }),
    },
  }
}

function causeOf(changes: readonly Change[], { deploy, restart }: Requests): string {
  const requests = Object.entries({ deploy, restart }).filter(([, cause]) => cause !== undefined)
  const paths = changes.map((change) =>
    change.content !== undefined || /\.(image|replicas|autoscaling)$/.test(change.path)
      ? sentenceOf(change)
      : change.path,
  )
  return shortened(
    [...requests.map((each) => each.join(': ')), paths.join(', ')].filter(Boolean).join('; '),
    causeLimit,
  )
}
