import type { Action, ResolvedService } from '../api/service/resolvedService.ts'
import { pullCopiesFor } from './copies.ts'
import { environment, literal } from './environment.ts'
import { labels } from '../api/meta.ts'
import { fileMounts, fileVolumes } from './files.ts'
import { podServiceAccount, podVolumeName, sameNodeLabel } from './names.ts'
import { transportOf } from './port.ts'
import { probes } from './probes.ts'
import { canonicalQuantity } from './quantity.ts'

/** The pod of one service: it passes Pod Security `restricted`. `selector` finds the pods it is spread with. */
export function podSpec(service: ResolvedService, selector: Record<string, string>): object {
  return sharedSpec(service, {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: selector },
        matchLabelKeys: ['pod-template-hash'],
      },
    ],
  })
}

/**
 * The pod of an action: the service's, but that it answers on no port, is asked for no health, and ends. After its time it
 * is killed by the node, which keeps its log; that a Job has run out of time would remove it.
 */
export function actionPodSpec(service: ResolvedService, { command, args, timeoutSeconds }: Action): object {
  const { healthCheck: _none, args: _others, ...rest } = service
  const own: ResolvedService = { ...rest, command, ...(args && { args }), ports: [] }
  return sharedSpec(own, { restartPolicy: 'Never', activeDeadlineSeconds: timeoutSeconds })
}

/** What all pods made from a service have, and `own` besides. */
function sharedSpec(service: ResolvedService, own: object): object {
  return {
    serviceAccountName: podServiceAccount,
    automountServiceAccountToken: false,
    ...(service.imagePullSecrets && { imagePullSecrets: pullCopiesFor(service).map(({ name }) => ({ name })) }),
    enableServiceLinks: false,
    terminationGracePeriodSeconds: service.rollout.terminationGracePeriodSeconds,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, ...volumeGroup(service) },
    ...nodeAffinity(service),
    ...own,
    containers: [container(service)],
    volumes: [
      { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
      ...fileVolumes(service),
      ...(service.volumes ?? []).map(({ name, claim }) => ({
        name: podVolumeName(name),
        persistentVolumeClaim: { claimName: claim },
      })),
    ],
  }
}

/** All pods of all instances write to volumes as this group, whoever they run as: what one wrote, the next can change. */
const volumeGroupId = 10_001

function volumeGroup({ volumes }: ResolvedService): object {
  return volumes ? { fsGroup: volumeGroupId, fsGroupChangePolicy: 'OnRootMismatch' } : {}
}

/** The labels by which pods that must share a node find each other. */
export function nodeLabels({ sameNode }: ResolvedService): Record<string, string> {
  return sameNode === undefined ? {} : { [labels.sameNode]: sameNodeLabel(sameNode) }
}

/**
 * On the node of those that share a volume with it: of releases before, too. When the last of these leaves, the scheduler
 * looks again at a pod that is kept off others, not at one that is kept together with them (ADR 0013); no node has a label by
 * which any would be kept off.
 */
function nodeAffinity(service: ResolvedService): object {
  if (service.sameNode === undefined) return {}
  const required = (topologyKey: string): object => ({
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey, labelSelector: { matchLabels: nodeLabels(service) } },
    ],
  })
  return { affinity: { podAffinity: required('kubernetes.io/hostname'), podAntiAffinity: required(labels.noNode) } }
}

function container(service: ResolvedService): object {
  return {
    name: service.name,
    image: service.image,
    // The server drops an empty list.
    ...(service.command?.length && { command: service.command.map(literal) }),
    ...(service.args?.length && { args: service.args.map(literal) }),
    ...(service.workingDir !== undefined && { workingDir: service.workingDir }),
    ...(service.ports.length > 0 && {
      ports: service.ports.map(({ name, port, protocol }) => ({
        name,
        containerPort: port,
        protocol: transportOf(protocol),
      })),
      ...(service.rollout.drainSeconds > 0 && {
        lifecycle: { preStop: { sleep: { seconds: service.rollout.drainSeconds } } },
      }),
    }),
    env: environment(service),
    ...resources(service),
    ...probes(service),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      ...service.security,
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      ...fileMounts(service),
      ...(service.volumes ?? []).map(({ name, path }) => ({ name: podVolumeName(name), mountPath: path })),
    ],
  }
}

/** Only amounts that are set: an empty map of ours would be filled by others, and never be what was rendered. */
function resources({ resources: { requests = {}, limits = {} } }: ResolvedService): object {
  const amounts = Object.entries({ requests, limits })
    .filter(([, amount]) => Object.keys(amount).length > 0)
    .map(([name, amount]) => [name, canonicalAmounts(amount)] as const)
  return amounts.length > 0 ? { resources: Object.fromEntries(amounts) } : {}
}

function canonicalAmounts(amounts: Readonly<Record<string, string | undefined>>): object {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount = '']) => [name, canonicalQuantity(amount)]))
}
