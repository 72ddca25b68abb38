import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, it } from '@jest/globals'
import { appInstanceKind } from '../../../operator/api/appInstance.ts'
import { objectPath } from '../../../operator/kube/paths.ts'
import { ensureBinaries } from '../../cluster/binaries.ts'
import { waitUntil } from '../../cluster/kubeApi.ts'
import { findFreePorts } from '../../cluster/ports.ts'
import { reportToTerminal } from '../../cluster/progress.ts'
import { readRecorded, recordedNames } from '../../phases/recorded.ts'
import { digestOfSources, namespaceOf, recordedDigest, writeSeries } from '../../phases/series.ts'
import { apiServer, demand, dropNamespace, establishCrds, type Admin } from '../../support/apiserver.ts'

const config = fileURLToPath(new URL('../../../integrations/monitoring/kube-state-metrics.yaml', import.meta.url))

/** The recorded instance as it was, in a namespace of its own. */
async function putBack(admin: Admin, name: string): Promise<void> {
  const { apiVersion, kind, spec, status, metadata } = readRecorded(name)
  const namespace = namespaceOf(name)
  const path = objectPath(appInstanceKind, { namespace, name: metadata.name })
  const isGoing = metadata.deletionTimestamp !== undefined
  const given = {
    apiVersion,
    kind,
    metadata: { name: metadata.name, namespace, finalizers: ['test.appstead.dev/held'] },
  }
  await demand(admin, { method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } })
  // An instance of generation 2 was changed once, or is being deleted.
  const isChanged = metadata.generation === 2 && !isGoing
  const first = isChanged ? { ...spec, creationDeadlineSeconds: spec.creationDeadlineSeconds + 1 } : spec
  const collection = path.slice(0, path.lastIndexOf('/'))
  await demand(admin, { method: 'POST', path: collection, body: { ...given, spec: first } })
  if (isChanged) await demand(admin, { method: 'PATCH', path, body: { spec } })
  if (isGoing) await demand(admin, { method: 'DELETE', path })
  await demand(admin, { method: 'PATCH', path: `${path}/status`, body: { status } })
  const found = await demand(admin, { path })
  expect([name, found.metadata.generation]).toEqual([name, metadata.generation])
}

async function takeAway(admin: Admin, name: string): Promise<void> {
  const path = objectPath(appInstanceKind, { namespace: namespaceOf(name), name: readRecorded(name).metadata.name })
  await admin({ method: 'PATCH', path, body: { metadata: { finalizers: null } } })
  await dropNamespace(admin, namespaceOf(name))
}

/** What a kube-state-metrics shows once it has seen this many instances. */
async function show(kubeconfig: string, instances: number): Promise<string> {
  const { 'kube-state-metrics': program } = await ensureBinaries(['kube-state-metrics'], reportToTerminal)
  const [port = 0, telemetryPort = 0] = await findFreePorts(crypto.randomUUID(), 2)
  const child = spawn(
    program,
    [
      `--kubeconfig=${kubeconfig}`,
      '--custom-resource-state-only',
      `--custom-resource-state-config-file=${config}`,
      '--host=127.0.0.1',
      `--port=${port}`,
      '--telemetry-host=127.0.0.1',
      `--telemetry-port=${telemetryPort}`,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const ended = once(child, 'exit')
  let text = ''
  try {
    await waitUntil('kube-state-metrics shows all instances', 60, async () => {
      text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      )
      return [...text.matchAll(/^appstead_appinstance_info\{/gm)].length === instances
    })
    return text
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

/** `APPSTEAD_RECORD=yes` records them anew, which builds kube-state-metrics once. */
it('the series are of the instances recorded now, as kube-state-metrics is told to show them now', async () => {
  if (process.env['APPSTEAD_RECORD'] === 'yes') {
    const { admin, cluster } = await apiServer()
    await establishCrds(admin)
    const names = recordedNames()
    try {
      for (const name of names) await putBack(admin, name)
      writeSeries(await show(cluster.kubeconfig, names.length))
    } finally {
      for (const name of names) await takeAway(admin, name)
    }
  }
  expect(recordedDigest()).toBe(digestOfSources())
}, 900_000)
