import type { AppRelease } from '../api/appRelease.ts'
import { shortHash } from '../api/canonical.ts'

/** Every derived name stands here, with its length limit. */

/** Name under which an App's inline stack publishes its revisions. */
export function inlineStackName(app: string): string {
  return `app-${app}`
}

/** `<stack>-r<number>-<hash6 of the services>`. */
export function countedRevisionName(stack: string, number: number, services: unknown): string {
  return `${stack}-r${number}-${shortHash(services, 6)}`
}

/** `<stack>-<version>`. */
export function versionedRevisionName(stack: string, version: string): string {
  return `${stack}-${version}`
}

/** `<instance>-<first 5 of the instance's uid>-r<number>`: a re-created instance never meets its predecessor's names. */
export function releaseName(instance: string, instanceUid: string, number: number): string {
  return `${instance}-${uid5(instanceUid)}-r${number}`
}

/** `<instance>-<first 5 of the instance's uid>-<type in lower case>-<attempt>`. */
export function taskName(instance: string, instanceUid: string, type: string, attempt: number): string {
  return `${instance}-${uid5(instanceUid)}-${type.toLowerCase()}-${attempt}`
}

function uid5(uid: string): string {
  return uid.replaceAll('-', '').slice(0, 5)
}

/** The immutable ConfigMap with a service's files: its content is in its name, so that a release names what it mounts. */
export function filesName(service: string, files: unknown): string {
  return `${service}-${shortHash(files, 8)}`
}

/**
 * The immutable Secret with what is used of a Secret or ConfigMap of the project. The hash is over keyed hashes of the
 * values: nobody can tell from it what they are.
 */
export function copyName(source: string, content: unknown): string {
  const readable = source
    .slice(source.indexOf('/') + 1)
    .replaceAll('.', '-')
    .slice(0, 40)
    .replace(/-+$/, '')
  return `${readable}-${shortHash([source, content], 12)}`
}

/** Key of a service's n-th file in its ConfigMap. */
export function fileKey(index: number): string {
  return `file-${index}`
}

/** The Secret of one generated secret; the hash keeps `A_B` and `a_b` apart. */
export function generatedSecretName(service: string, variable: string): string {
  const readable = variable
    .toLowerCase()
    .replaceAll('_', '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 20)
  return `${service}-${readable || 'x'}-${shortHash(variable, 6)}`
}

/** The PersistentVolumeClaim of a service's volume: at most 61 characters. Two services can mean one name: an objection. */
export function volumeClaimName(service: string, volume: string): string {
  return `${service}-${volume}`
}

/** A volume in a pod, apart from those of the platform's own. */
export function podVolumeName(volume: string): string {
  return `volume-${volume}`
}

/** The label value that pods of one node share: the name of the claim they do it for, if a label can hold it. */
export function sameNodeLabel(claim: string): string {
  return claim.length <= 63 ? claim : shortHash(claim, 10)
}

/**
 * The Job of an action of a release: `<service>-<action>-r<number>-<hash5>`. The hash keeps `a-b` of `c` and `b-c` of `a`
 * apart, and what an earlier instance or a release of the same number has left in the namespace.
 */
export function actionJobName(release: AppRelease, service: string, action: string): string {
  const { number } = release.spec
  return `${service.slice(0, 20)}-${action}-r${number}-${shortHash([release.metadata.uid ?? '', service, action], 5)}`
}

/** The Job of an action that a user asks for: `<service>-<action>-t<hash10 of the AppTask's uid>`, one for each AppTask. */
export function taskJobName(taskUid: string, service: string, action: string): string {
  return `${service.slice(0, 20)}-${action}-t${shortHash([taskUid, service, action], 10)}`
}

/** The value of the label of what is made for an action; no name has a dot. */
export function actionLabel(service: string, action: string): string {
  return `${service}.${action}`
}

/** Address of a service inside the cluster. */
export function serviceUrl(service: string, namespace: string, port: number): string {
  return `http://${serviceHost(service, namespace)}:${port}`
}

/** Name of a service inside the cluster. */
export function serviceHost(service: string, namespace: string): string {
  return `${service}.${namespace}.svc`
}

/** The ResourceQuota of an instance. */
export const resourceQuotaName = 'instance'

/** The ServiceAccount all pods of an instance run under; it may do nothing. */
export const podServiceAccount = 'app'
