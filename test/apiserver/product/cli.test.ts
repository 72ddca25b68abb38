import { expect, it } from '@jest/globals'
import { appstead, type Ended } from '../../unit/cli/cli.ts'
import { refuseAccounts, allowAccounts } from './accounts.ts'
import { jumpingClock } from './fastClock.ts'
import { create, createRunning, getInstance, messageOf, untilErrored, useWorld } from './world.ts'

const world = useWorld({ clock: jumpingClock() })

const why = (name = world.instance, ...more: readonly string[]): Promise<Ended> => {
  const { cluster, namespace } = world
  return appstead(['why', name, '-n', namespace, '--kubeconfig', cluster.kubeconfig, ...more])
}

it('why says of an instance that all is well, and ends with 0', async () => {
  await createRunning(world)
  const { code, stdout, stderr } = await why()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(`${world.instance}: Running, AllReady\n`)
})

it('why names the cause of a roll-out that waits, and the pod; what is not there is told with what is like it', async () => {
  await create(world)
  const { code, stdout, stderr } = await why()
  expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
  expect(stdout).toContain(`Cause: ${messageOf(await getInstance(world), 'Ready')}\n`)
  expect(stdout).toMatch(/^Pod: web-\S+ in namespace \S+: /m)
  const gone = await why(`${world.instance}x`)
  expect(gone).toMatchObject({ code: 1, stdout: '' })
  expect(gone.stderr).toBe(
    `error: there is no AppInstance '${world.instance}x' in namespace '${world.namespace}'; there is '${world.instance}'\n`,
  )
  expect(await why(world.instance, '--context', 'other')).toMatchObject({
    code: 1,
    stderr: "error: --context 'other': the kubeconfig has no such context\n",
  })
})

it('why names the task, its step and the ways out of an Errored instance', async () => {
  await refuseAccounts(world)
  try {
    await create(world, { spec: { creationDeadlineSeconds: 15 } })
    await untilErrored(world)
    const { error } = (await getInstance(world))['status']
    const { code, stdout } = await why()
    expect(code).toBe(3)
    expect(stdout).toContain(`Task: ${error.task}, step ${error.failedStep}\n`)
    for (const step of error.nextSteps as string[]) expect(stdout).toContain(`Do: ${step}\n`)
  } finally {
    await allowAccounts(world)
  }
})
