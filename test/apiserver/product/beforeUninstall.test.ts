import { join } from 'node:path'
import process from 'node:process'
import { expect, it } from '@jest/globals'
import { tryRun, type Finished } from '../../cluster/process.ts'
import { create, useWorld } from './world.ts'

/** What `helm uninstall` asks first, as the operator's account. The chart's Job runs it on the node level. */

const world = useWorld()
const program = join(import.meta.dirname, '../../../operator/jobs/beforeUninstall.ts')

function ask(...args: readonly string[]): Promise<Finished> {
  return tryRun(process.execPath, [program, ...args], { env: { KUBECONFIG: world.operatorKubeconfig } })
}

it('is refused while there is an instance, and with the CRDs while anything of ours waits to be let go', async () => {
  await create(world)
  const { namespace, instance, app, hands, operator } = world
  const refused = await ask()
  expect([refused.status, refused.stderr]).toEqual([
    1,
    `There is 1 AppInstance: ${namespace}/${instance}. Without the operator what runs goes on running, and nobody heals or removes it. To remove them first: kubectl delete appinstances --all --all-namespaces. To uninstall all the same: the same command with --no-hooks.\n`,
  ])
  await hands.remove('AppInstance', { namespace, name: instance })
  await operator.until(
    'it is gone',
    async () => (await hands.find('AppInstance', { namespace, name: instance })) === undefined,
  )
  expect(await ask()).toEqual({ status: 0, stdout: '', stderr: '' })
  const withDefinitions = await ask('--with-definitions')
  expect([withDefinitions.status, withDefinitions.stderr]).toEqual([
    1,
    expect.stringMatching(
      /^There (is|are) \d+ \w+: .*\. The CustomResourceDefinitions go with the release \(crds\.keep is false\), and wait for ever for what the operator alone lets go\. To remove them first: kubectl delete [a-z,]+ --all --all-namespaces\./,
    ),
  ])
  expect(withDefinitions.stderr).toMatch(/appsteadapps,|,appsteadapps/)
  expect(await hands.find('App', { namespace, name: app })).toBeDefined()
}, 90_000)
