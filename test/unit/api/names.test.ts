import { describe, expect, it } from '@jest/globals'
import { appInstanceKind } from '../../../operator/api/appInstance.ts'
import { appKind } from '../../../operator/api/app.ts'
import { objectionsTo } from '../../support/verdict.ts'

const instance = (name: string, app: string) =>
  objectionsTo(appInstanceKind, {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { name },
    spec: { app, env: 'dev' },
  })

describe('the name of an AppInstance', () => {
  it('begins with its app and is a label of at most 63 characters', () => {
    expect(instance('hello-dev', 'hello')).toEqual([])
    expect(instance('a-b-c', 'a-b')).toEqual([])
    expect(instance(`a-${'x'.repeat(61)}`, 'a')).toEqual([])
    expect(instance(`a-${'x'.repeat(62)}`, 'a')).toEqual(['name-length'])
    expect(instance('hello', 'hello')).toEqual(['name-begins-with-app'])
    expect(instance('hello-a.b', 'hello')).toEqual(['name-is-label'])
  })

  it('is not that of a namespace of the cluster or of the operator', () => {
    expect(instance('kube-system', 'kube')).toEqual(['reserved-instance-name'])
    expect(instance('appstead-system', 'appstead')).toEqual(['reserved-instance-name'])
    expect(instance('kubernetes-dev', 'kubernetes')).toEqual([])
  })
})

describe('the longest name of an App', () => {
  it('leaves room for an instance', () => {
    const app = 'x'.repeat(61)
    const object = {
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'App',
      metadata: { name: app },
      spec: { stack: { name: 's' } },
    }
    expect(objectionsTo(appKind, object)).toEqual([])
    expect(instance(`${app}-1`, app)).toEqual([])
  })
})
