import { annotations, type KubeObject, type Ref, type ResourceType } from '../api/meta.ts'

/** Of coordination.k8s.io: who leads, as client-go's leader election keeps it too. */
export const leaseType: ResourceType = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
}

/** All that is ever done with the Lease; the chart grants no more. */
export const leaseVerbs = ['get', 'watch', 'create', 'patch'] as const

/** What a Lease says. */
export interface LeaseRecord {
  readonly resourceVersion: string
  /** '' when nobody holds it. */
  readonly holder: string
  readonly acquireTime: string
  /** As the holder's clock told it: only ever compared for being another one than before. */
  readonly renewTime: string
  /** How long it stays the holder's without a renewal. */
  readonly leaseSeconds: number
  /** How often the holder has changed. */
  readonly transitions: number
  /** Of the holder; '' when it does not say. */
  readonly version: string
  /** Who gave it up in good order; '' while it is held, and when somebody else emptied it. */
  readonly releasedBy: string
  readonly candidate: Candidate | undefined
  /** Annotations that are not ours. */
  readonly foreign: Readonly<Record<string, string>>
}

/** A newer operator that asks for the lead. */
export interface Candidate {
  readonly version: string
  readonly identity: string
  /** Another one each time it asks. */
  readonly time: string
}

interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** Reads a Lease; what is missing is '' or 0. */
export function parseLease({ metadata, spec = {} }: Lease): LeaseRecord {
  const {
    [annotations.holderVersion]: version = '',
    [annotations.releasedBy]: releasedBy = '',
    [annotations.candidate]: candidate = '',
    ...foreign
  } = metadata.annotations ?? {}
  return {
    resourceVersion: metadata.resourceVersion ?? '',
    holder: spec.holderIdentity ?? '',
    acquireTime: spec.acquireTime ?? '',
    renewTime: spec.renewTime ?? '',
    leaseSeconds: spec.leaseDurationSeconds ?? 0,
    transitions: spec.leaseTransitions ?? 0,
    version,
    releasedBy,
    candidate: parseCandidate(candidate),
    foreign,
  }
}

function parseCandidate(text: string): Candidate | undefined {
  const [version, identity, time, ...rest] = text.split(' ')
  if (version === undefined || identity === undefined || time === undefined || rest.length > 0) return undefined
  return { version, identity, time }
}

/** The Lease of a record, to be created. */
export function makeLease(ref: Ref, record: LeaseRecord): KubeObject {
  const lease = {
    apiVersion: `${leaseType.group}/${leaseType.version}`,
    kind: leaseType.kind,
    metadata: { namespace: ref.namespace, name: ref.name, annotations: annotationsOf(record) },
    spec: specOf(record),
  }
  return lease
}

/** The JSON patch that makes of the Lease what `record` says, if it still is as it was seen when the record was read. */
export function replaceOperations(record: LeaseRecord): readonly unknown[] {
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: record.resourceVersion },
    { op: 'add', path: '/metadata/annotations', value: annotationsOf(record) },
    { op: 'add', path: '/spec', value: specOf(record) },
  ]
}

function annotationsOf({ foreign, version, releasedBy, candidate }: LeaseRecord): Readonly<Record<string, string>> {
  return {
    ...foreign,
    ...(version === '' ? {} : { [annotations.holderVersion]: version }),
    ...(releasedBy === '' ? {} : { [annotations.releasedBy]: releasedBy }),
    ...(candidate === undefined
      ? {}
      : { [annotations.candidate]: `${candidate.version} ${candidate.identity} ${candidate.time}` }),
  }
}

function specOf({ holder, acquireTime, renewTime, leaseSeconds, transitions }: LeaseRecord): Lease['spec'] {
  return {
    holderIdentity: holder,
    ...(acquireTime === '' ? {} : { acquireTime }),
    ...(renewTime === '' ? {} : { renewTime }),
    ...(leaseSeconds === 0 ? {} : { leaseDurationSeconds: leaseSeconds }),
    leaseTransitions: transitions,
  }
}

/** A MicroTime. The microseconds are a count: two writes in a row differ, even when the time of day stands still. */
export function microTimeOf(time: Date, count: number): string {
  return time.toISOString().replace('Z', `${String(count % 1000).padStart(3, '0')}Z`)
}
