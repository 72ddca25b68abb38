import { labels } from '../api/meta.ts'
import { actionLabel } from './names.ts'

/** Who an object is made for. */
export interface Owner {
  readonly app: string
  readonly instance: string
  readonly env: string
  /** The namespace of the App and its instances. */
  readonly project: string
}

/** Labels of every object made for an instance: what we own is found by them. */
export function ownerLabels(owner: Owner): Record<string, string> {
  return {
    [labels.managedBy]: 'appstead',
    [labels.app]: owner.app,
    [labels.instance]: owner.instance,
    [labels.env]: owner.env,
    [labels.project]: owner.project,
  }
}

/** Labels of every object made for one service of an instance. */
export function serviceLabels(owner: Owner, service: string): Record<string, string> {
  return { ...ownerLabels(owner), [labels.service]: service }
}

/**
 * Labels of the pods of an action: never those by which a service's pods are found, so that they get no traffic, count as
 * no replica, and are in no budget.
 */
export function actionPodLabels(owner: Owner, service: string, action: string): Record<string, string> {
  return { ...ownerLabels(owner), [labels.action]: actionLabel(service, action) }
}

/** The selector of a service's pods: the smallest set that is unique; a Deployment can never change it. */
export function serviceSelector(owner: Owner, service: string): Record<string, string> {
  return { [labels.instance]: owner.instance, [labels.service]: service }
}

/** The selector of `selector` text form, for `kubectl get pods -l`. */
export function selectorText(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}
