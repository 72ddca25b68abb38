import { apiVersionOf, deploymentType } from '../api/builtin.ts'
import type { ResolvedService } from '../api/appRelease.ts'
import type { Owner } from './labels.ts'
import { serviceLabels, serviceSelector } from './labels.ts'
import { fileKey, filesName, generatedSecretName, podServiceAccount } from './names.ts'
import type { Desired } from './plan.ts'
import { canonicalQuantity } from './quantity.ts'

/** How long a replica that nobody can ask must have run before it counts: one that ends at once never does. */
const unprovenSeconds = 5

/**
 * The Deployment of one service. New replicas first, old ones drained, never fewer than asked for:
 * maxUnavailable 0, and a native preStop sleep so that a leaving replica still answers while the
 * endpoints spread (design/api.md, Rolling update). Pods pass Pod Security `restricted`.
 */
export function makeDeployment(owner: Owner, service: ResolvedService): Desired {
  const selector = serviceSelector(owner, service.name)
  return {
    type: deploymentType,
    mode: 'apply',
    object: {
      apiVersion: apiVersionOf(deploymentType),
      kind: 'Deployment',
      metadata: { name: service.name, namespace: owner.instance, labels: serviceLabels(owner, service.name) },
      spec: {
        replicas: service.replicas,
        selector: { matchLabels: selector },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        progressDeadlineSeconds: service.rollout.progressDeadlineSeconds,
        revisionHistoryLimit: 2,
        ...(service.healthCheck ? {} : { minReadySeconds: unprovenSeconds }),
        template: {
          metadata: { labels: serviceLabels(owner, service.name) },
          spec: podSpec(service, selector),
        },
      },
    } as Desired['object'],
  }
}

function podSpec(service: ResolvedService, selector: Record<string, string>): object {
  return {
    serviceAccountName: podServiceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: service.rollout.terminationGracePeriodSeconds,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: selector },
        matchLabelKeys: ['pod-template-hash'],
      },
    ],
    containers: [container(service)],
    volumes: [
      { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
      ...(service.files.length > 0
        ? [{ name: 'files', configMap: { name: filesName(service.name, service.files) } }]
        : []),
    ],
  }
}

function container(service: ResolvedService): object {
  return {
    name: service.name,
    image: service.image,
    // The server drops an empty list.
    ...(service.command?.length && { command: service.command.map(literal) }),
    ...(service.args?.length && { args: service.args.map(literal) }),
    ...(service.ports.length > 0 && {
      ports: service.ports.map(({ name, port }) => ({ name, containerPort: port, protocol: 'TCP' })),
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
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      ...service.files.map(({ path }, index) => ({ name: 'files', mountPath: path, subPath: fileKey(index) })),
    ],
  }
}

/** A variable of the same name wins over a generated secret. */
function environment(service: ResolvedService): object[] {
  const given = new Set(service.variables.map(({ name }) => name))
  return [
    // The server drops an empty value; rendered, it would never be what is read back.
    ...service.variables.map(({ name, value }) => ({ name, ...(value !== '' && { value: literal(value) }) })),
    ...service.generatedSecrets
      .filter(({ name }) => !given.has(name))
      .map(({ name }) => ({
        name,
        valueFrom: { secretKeyRef: { name: generatedSecretName(service.name, name), key: 'value' } },
      })),
  ]
}

/** Kubernetes takes $(NAME) for a reference and $$ for a dollar; what users write stands for itself. */
function literal(text: string): string {
  return /\$[$(]/.test(text) ? text.replaceAll('$', '$$$$') : text
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

/**
 * One health check becomes three probes: startup gives the replica its time, readiness takes it out of the Service
 * within seconds, and a slower liveness re-creates a dead one.
 */
function probes(service: ResolvedService): object {
  const check = service.healthCheck
  if (!check) return {}
  const httpGet = { path: check.path, port: check.port }
  const probe = { httpGet, timeoutSeconds: check.timeoutSeconds }
  return {
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: check.startupSeconds },
    readinessProbe: { ...probe, periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 6 },
  }
}
