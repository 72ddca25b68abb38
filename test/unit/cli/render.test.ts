import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { loadAll } from 'js-yaml'
import { withRevisions as previewed } from '../../../operator/preview.ts'
import { cases, objectsOf, planFile } from '../../render/cases.ts'
import { withRevisions as published } from '../../render/world.ts'
import { appstead } from './cli.ts'

const root = join(import.meta.dirname, '../../..')
const shop = join(root, 'examples/shop/shop.yaml')
const secret = `apiVersion: v1
kind: Secret
metadata:
  name: shop-prod-pg
  labels: { appstead.dev/allow: 'true' }
  annotations: { appstead.dev/allow-apps: shop }
stringData: { uri: 'postgres://db.example', port: '5432', host: db.example, password: s3cret, username: shop, database: shop }
`

describe('render', () => {
  it.each(cases)('publishes what the controllers do: %s', async (name) => {
    expect(previewed(objectsOf(name))).toEqual(await published(objectsOf(name)))
  })

  it('writes what the golden test holds the reconciler to, object by object, and nothing that Node warns of', async () => {
    const [plan] = loadAll(readFileSync(planFile('hello'), 'utf8')) as [{ stages: { objects: { object: object }[] }[] }]
    const wanted = plan.stages.flatMap(({ objects }) => objects.map(({ object }) => object))
    const file = join(root, 'test/render/hello/in.yaml')
    const yaml = await appstead(['render', '-f', file])
    expect(yaml).toMatchObject({ code: 0, stderr: '' })
    expect(loadAll(yaml.stdout)).toEqual(wanted)
    const { items } = JSON.parse((await appstead(['render', '-f', file, '-o', 'json'])).stdout) as { items: object[] }
    expect(items).toEqual(wanted)
  })

  it('needs no more than the files of an example: environments, uids and namespaces are made up', async () => {
    const { code, stdout, stderr } = await appstead([
      'render',
      '-o',
      'name',
      '-f',
      join(root, 'examples/hello/hello.yaml'),
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['namespace/hello-dev', 'deployment.apps/web', 'service/web']),
    )
  })

  it('makes of a list what it makes of its objects', async () => {
    const objects = loadAll(readFileSync(join(root, 'examples/hello/hello.yaml'), 'utf8'))
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    const one = await appstead(['render', '-f', join(root, 'examples/hello/hello.yaml')])
    expect(await appstead(['render', '-f', '-'], { input: list })).toEqual(one)
  })

  it('says what is missing and ends with 3; a Secret that is given is used, and its values are not written', async () => {
    const without = await appstead(['render', '-f', shop, '-n', 'team-a'])
    expect(without).toMatchObject({ code: 3, stdout: '' })
    expect(without.stderr).toContain(
      "AppInstance shop-prod: ReferenceNotFound: No Secret 'shop-prod-pg' in namespace 'team-a'",
    )
    const given = await appstead(['render', '-f', shop, '-f', '-', '-n', 'team-a'], { input: secret })
    expect(given).toMatchObject({ code: 0, stderr: '' })
    expect(given.stdout).toContain('kind: Deployment')
    expect(given.stdout).not.toMatch(/s3cret|czNjcmV0/)
  })

  it('refuses what the API server would', async () => {
    const { code, stdout, stderr } = await appstead(['render', '-f', '-'], {
      input:
        'apiVersion: appstead.dev/v1alpha1\nkind: AppInstance\nmetadata: { name: a-b }\nspec: { app: a, env: dev, replica: 2 }\n',
    })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      "error: the API server would refuse this:\n-:4:27: AppInstance a-b: spec.replica: is no field here: did you mean 'replicas'?\n",
    )
    const nothing = await appstead(['render', '-f', '-'], { input: '' })
    expect(nothing).toMatchObject({
      code: 1,
      stderr: 'error: there is no AppInstance in these files: nothing is rendered\n',
    })
  })
})
