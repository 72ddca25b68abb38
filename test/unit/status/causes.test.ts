import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { ResolvedService } from '../../../operator/api/service/resolvedService.ts'
import { labels } from '../../../operator/api/meta.ts'
import { report } from '../../../operator/controllers/appInstance/report.ts'
import { deploymentDigest, podDigest, probeDigest } from '../../../operator/controllers/digests.ts'
import { serviceCause, type Surroundings } from '../../../operator/status/causes.ts'
import { conditionOf } from '../../../operator/status/conditions.ts'
import type { ObservedClaim, ObservedDeployment, ObservedPod } from '../../../operator/status/observed.ts'
import { now } from '../../render/world.ts'
import { caseOf } from './situations.ts'
import { webService } from './webService.ts'

/** Of several causes one is told: which, whatever the order in which the API server lists things. */

type Volume = NonNullable<ResolvedService['volumes']>[number]

/** One thing that is wrong with a service. */
interface Fault {
  readonly reason: string
  readonly message: string
  /** Of a pod that is not ready: more of its status. */
  readonly pod?: object
  /** What the kubelet says of the pod's probe. */
  readonly probe?: string
  readonly volume?: Volume
  readonly claim?: object
  readonly refusal?: string
}

const waits = (reason: string): object => ({ containerStatuses: [{ state: { waiting: { reason, message: 'why' } } }] })
const unscheduled = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'too little cpu' }
const volumeOf = (name: string, made: boolean): Volume => ({
  name,
  path: `/${name}`,
  claim: `web-${name}`,
  accessMode: 'ReadWriteOnce',
  ...(made && { made: { service: 'web', size: '1Gi' } }),
})

/** What somebody must put right, before what may be short for a while. */
const faults: readonly Fault[] = [
  { reason: 'ConfigurationError', message: 'cannot be created', pod: waits('CreateContainerConfigError') },
  { reason: 'ImagePullFailed', message: 'cannot be pulled', pod: waits('ImagePullBackOff') },
  {
    reason: 'CrashLoop',
    message: 'exit code 3',
    pod: { containerStatuses: [{ state: { running: {} }, lastState: { terminated: { exitCode: 3 } } }] },
  },
  {
    reason: 'HealthCheckFailed',
    message: 'status 500',
    pod: { containerStatuses: [{ state: { running: {} } }] },
    probe: 'Startup probe failed: HTTP probe failed with statuscode: 500',
  },
  { reason: 'ClaimNotFound', message: 'web-old', volume: volumeOf('old', false) },
  {
    reason: 'ClaimUnbound',
    message: 'web-data',
    volume: volumeOf('data', true),
    claim: { phase: 'Pending', storageClass: 'none', hasNode: false },
  },
  { reason: 'Forbidden', message: 'exceeded quota', refusal: 'exceeded quota: small' },
  { reason: 'Unschedulable', message: 'no node takes', pod: { conditions: [unscheduled] } },
]

function serviceNamed(name: string, wrong: readonly Fault[]): ResolvedService {
  const volumes = wrong.flatMap(({ volume }) => volume ?? [])
  return {
    ...webService,
    name,
    main: name === 'web',
    replicas: 5,
    ...(volumes.length > 0 && { volumes }),
  }
}

/** What there is when these things are wrong with these services. */
function surroundingsOf(wrong: Readonly<Record<string, readonly Fault[]>>): Surroundings {
  const all = Object.entries(wrong).flatMap(([service, list]) => list.map((fault) => ({ service, fault })))
  const uidOf = (service: string, { reason }: Fault): string => `${service}-${reason}`
  return {
    pods: all.flatMap(({ service, fault }) => (fault.pod ? podOf(service, uidOf(service, fault), fault.pod) : [])),
    probes: all.flatMap(({ service, fault }) => {
      const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, count: 9, message: fault.probe ?? '' }
      const seen = { ...event, involvedObject: { uid: uidOf(service, fault) } }
      return fault.probe === undefined ? [] : [{ ...seen, ...probeDigest(seen) }]
    }),
    deployments: new Map(
      all
        .filter(({ fault }) => fault.refusal !== undefined)
        .map(({ service, fault }) => [service, { refusal: fault.refusal } as ObservedDeployment]),
    ),
    claims: new Map(
      all.flatMap(({ fault: { claim, volume } }) =>
        claim && volume ? [[volume.claim, { ...claim, metadata: { name: volume.claim } } as ObservedClaim]] : [],
      ),
    ),
    early: new Map(),
    storageClasses: [],
  }
}

function podOf(service: string, uid: string, status: object): ObservedPod {
  const metadata = { name: uid, uid, labels: { [labels.service]: service } }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Running', ...status } }
  return { ...pod, ...podDigest(pod) }
}

/** Some of the faults, at least two, in any order. */
const several = fc.shuffledSubarray([...faults], { minLength: 2 })
const worstOf = (list: readonly Fault[]): Fault => faults.find((fault) => list.includes(fault))!

describe('the cause that is told', () => {
  it.each(faults)('of a service with nothing else is $reason', (fault) => {
    const { reason, message } = serviceCause(serviceNamed('web', [fault]), 'a-dev', surroundingsOf({ web: [fault] }))!
    expect(reason).toBe(fault.reason)
    expect(message).toContain(fault.message)
  })

  it('of several of one service is the worst', () => {
    fc.assert(
      fc.property(several, (wrong) => {
        const told = serviceCause(serviceNamed('web', wrong), 'a-dev', surroundingsOf({ web: wrong }))
        expect(told?.reason).toBe(worstOf(wrong).reason)
      }),
      { numRuns: 500 },
    )
  })

  it('of several services is that of the one with the worst; of one whose time is up before all others', () => {
    fc.assert(
      fc.property(several, fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }), (wrong, late) => {
        const named = wrong.map((fault, index) => [index === 0 ? 'web' : `web${index}`, fault] as const)
        const services = named.map(([name, fault]) => serviceNamed(name, [fault]))
        const rows = services.map((_, index) => ({ ready: 0, isComplete: false, isLate: late[index]! }))
        const { seen, found } = caseOf(services, { ...atRest, rows })
        const around = surroundingsOf(Object.fromEntries(named.map(([name, fault]) => [name, [fault]])))
        const { status } = report({ ...seen, ...around }, found, now)
        const inTime = wrong.filter((_, index) => !late[index])
        const worst = worstOf(inTime.length < wrong.length ? wrong.filter((_, index) => late[index]) : wrong)
        const { reason, message } = conditionOf(status?.conditions, 'Ready')!
        expect(reason).toBe(worst.reason)
        expect(message).toContain(`service '${named.find(([, fault]) => fault === worst)![0]}'`)
        expect(message).toContain(worst.message)
      }),
    )
  })
})

describe('a pod of a template that was replaced', () => {
  const [fault] = faults.filter(({ reason }) => reason === 'ImagePullFailed')
  const around = surroundingsOf({ web: [fault!] })
  const pods = around.pods.map((pod) => ({ ...pod, template: '79fd5b967c' }))
  const toldBy = (type: string, message: string): string | undefined => {
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }
    const status = { conditions: [{ type: 'Available' }, { type, status: 'True', message }] }
    const deployment = { ...object, digest: '', ...deploymentDigest({ ...object, status } as typeof object) }
    const deployments = new Map([['web', deployment]])
    return serviceCause(serviceNamed('web', [fault!]), 'a-dev', { ...around, pods, deployments })?.reason
  }

  it.each([
    'Created new replica set "web-5b85d59dc5"',
    'ReplicaSet "web-5b85d59dc5" is progressing.',
    'ReplicaSet "web-5b85d59dc5" has timed out progressing.',
  ])('is told no more: %s', (message) => {
    expect(toldBy('Progressing', message)).toBeUndefined()
    expect(toldBy('Progressing', message.replace('5b85d59dc5', '79fd5b967c'))).toBe('ImagePullFailed')
  })

  it('is told where the Deployment does not say which template is the newest', () => {
    expect(toldBy('Progressing', 'Deployment is paused')).toBe('ImagePullFailed')
    expect(toldBy('Others', 'ReplicaSet "web-5b85d59dc5" is progressing.')).toBe('ImagePullFailed')
  })
})

describe('why no replica can be made', () => {
  it.each([
    [
      'pods "web-79fd5b967c-zfv79" is forbidden: exceeded quota: one, requested: pods=1, used: pods=1, limited: pods=1',
      'exceeded quota: one, requested: pods=1, used: pods=1, limited: pods=1',
      'kubectl describe resourcequota -n a-dev',
    ],
    [
      `pods "web-79fd5b967c-zfv79" is forbidden: ValidatingAdmissionPolicy 'signed' with binding 'all' denied request: sign it`,
      `ValidatingAdmissionPolicy 'signed' with binding 'all' denied request: sign it`,
      'kubectl get validatingadmissionpolicy signed -o yaml',
    ],
    [
      'Internal error occurred: failed calling webhook "scan.example.com": connection refused',
      'failed calling webhook "scan.example.com": connection refused',
      'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
    ],
  ])('is told without the name of a pod that never was: %s', (refusal, why, command) => {
    const fault: Fault = { reason: 'Forbidden', message: '', refusal }
    expect(serviceCause(serviceNamed('web', [fault]), 'a-dev', surroundingsOf({ web: [fault] }))).toEqual({
      reason: 'Forbidden',
      message: `no replica can be made: ${why}`,
      command,
    })
  })
})

const atRest = {
  generation: 1,
  hasRelease: true,
  wasComplete: false,
  isAllComplete: false,
  pods: [],
  objection: undefined,
  scaled: false,
  suspend: undefined,
  fight: undefined,
  altered: undefined,
  waits: false,
  failure: undefined,
  latest: 'app-a-r1-aaaaaa',
} as const
