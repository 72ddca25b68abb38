import { describe, expect, it } from '@jest/globals'
import type { ActionTask } from '../../../operator/api/appTask.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { jobsToKeep } from '../../../operator/controllers/actionTasks.ts'
import { askFor, AskedWorld, Crash, settle } from './askedWorld.ts'

/** Actions that users ask for by an AppTask. */

/** What was written for one AppTask from the beginning to its end. */
const whole = ['create Job web-seed', 'status AppTask seed-1', 'apply Job web-seed', 'status AppTask seed-1'] as const

const shortened = (writes: readonly string[]): string[] => writes.map((each) => each.replace(/-t\w+$/, ''))

describe('an action that a user asks for', () => {
  it('is run once, from the current release, by a Job that is recorded before it may start', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    const found = await world.turn()
    expect(found.events).toMatchObject([{ type: 'Normal', reason: 'ActionStarted' }])
    expect(world.told('seed-1')).toMatch(/^Unknown RunningActions: Action 'seed' of service 'web' runs; see kubectl/)
    await settle(world)
    expect(world.task('seed-1')?.status).toMatchObject({
      release: 'hello-dev-33333-r1',
      steps: [
        { name: 'queue', state: 'Succeeded' },
        { name: 'run', state: 'Running' },
      ],
    })
    world.finish()
    const ended = await world.turn()
    expect(ended.events).toMatchObject([{ type: 'Normal', reason: 'ActionSucceeded' }])
    expect(world.told('seed-1')).toMatch(
      /^True Completed: Action 'seed' of service 'web' succeeded; for its log: kubectl logs -n hello-dev job\/web-seed-t/,
    )
    await settle(world)
    expect(shortened(world.writes)).toEqual(whole)
  })

  it.each(whole.flatMap((_, index) => [false, true].map((isDone) => ({ at: index + 1, isDone }))))(
    'is run once where the process dies at write $at (done: $isDone)',
    async (crash) => {
      const world = await AskedWorld.with([askFor('seed-1')])
      world.crash = crash
      await settle(world)
      world.finish()
      await settle(world)
      expect(world.told('seed-1')).toMatch(/^True Completed/)
      expect([...world.started]).toEqual([world.task('seed-1')?.status?.job?.uid])
    },
  )

  it('goes on where its Job was made, whatever has come since', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    world.crash = { at: 1, isDone: true }
    await expect(world.turn()).rejects.toThrow(Crash)
    // Asked in the same second, and first by its name; and a release that waits for the Job.
    world.put(askFor('before'))
    const [release] = world.list('AppRelease')
    const next = { ...release!, metadata: { name: 'r2', namespace: 'team' }, spec: { ...release!.spec, number: 2 } }
    world.put({ ...next, status: {} } as KubeObject)
    await settle(world)
    expect(world.told('seed-1')).toContain('RunningActions')
    expect(world.told('before')).toContain('Queued')
    expect(world.started.size).toBe(1)
  })

  it('is followed where somebody let its Job go before it was recorded, and holds up none behind it', async () => {
    const world = await AskedWorld.with([askFor('seed-1'), askFor('seed-2', { ageSeconds: 30 })])
    world.crash = { at: 1, isDone: true }
    await expect(world.turn()).rejects.toThrow(Crash)
    const [job] = world.list('Job')
    world.put({ ...job!, spec: { ...job!.spec, suspend: false } } as KubeObject)
    await settle(world)
    expect(world.told('seed-1')).toContain('RunningActions')
    expect(world.task('seed-1')?.status?.job?.uid).toBe(job!.metadata.uid)
    world.finish()
    await settle(world)
    expect(world.told('seed-1')).toContain('True Completed')
    expect(world.told('seed-2')).toContain('RunningActions')
    expect(world.started.size).toBe(2)
  })

  it('is told of although the pass ends in an error, and so is what was found before', async () => {
    const world = await AskedWorld.with([askFor('seed-1'), askFor('seed-2', { ageSeconds: 30 })])
    await settle(world)
    world.finish()
    const before = { type: 'Normal', reason: 'DriftCorrected', action: 'Repairing', message: 'put right' } as const
    // The end of the first is recorded; what comes next fails.
    world.crash = { at: world.writes.length + 2, isDone: false }
    const { events, thrown } = await world.pass({ events: [before] })
    expect(thrown).toBeInstanceOf(Crash)
    expect(events?.map(({ reason }) => reason)).toEqual(['DriftCorrected', 'ActionSucceeded'])
    expect(world.told('seed-1')).toContain('True Completed')
  })

  it('is not run again by one whose view is old, also where the Job is gone', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    const old = world.view()
    await settle(world)
    await world.turn({}, old)
    expect(world.started.size).toBe(1)
    const [job] = world.list('Job')
    world.remove('Job', { namespace: 'hello-dev', name: job!.metadata.name })
    await expect(world.turn({}, old)).rejects.toThrow('changed')
    expect(world.started.size).toBe(1)
    await settle(world)
    expect(world.told('seed-1')).toMatch(/^False ActionFailed: .* its Job was deleted before it ended\.$/)
    // What the old view has left may start nothing, and goes.
    expect(world.list('Job')).toEqual([])
    expect(world.started.size).toBe(1)
  })

  it('says who refuses to let its Job go, and goes on as soon as nobody does', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    world.refused = 'apply Job'
    await settle(world)
    expect(world.told('seed-1')).toMatch(/^Unknown Forbidden: .*a rule of an admin/)
    expect(world.task('seed-1')?.status?.steps).toMatchObject([
      { state: 'Succeeded' },
      { name: 'run', state: 'Running' },
    ])
    expect(world.started.size).toBe(0)
    world.refused = undefined
    await settle(world)
    world.finish()
    await settle(world)
    expect(world.told('seed-1')).toMatch(/^True Completed/)
    expect(world.started.size).toBe(1)
  })

  it('has its Job kept until its end is recorded, whoever has asked since, and while it is of the newest three', async () => {
    const names = ['a', 'b', 'c', 'd']
    const world = await AskedWorld.with(names.map((name, index) => askFor(name, { ageSeconds: 40 - index })))
    const kept = (): ReadonlySet<string> => new Set(jobsToKeep(names.map((name) => world.task(name) as ActionTask)))
    await settle(world)
    world.finish()
    const [first = ''] = world.list('Job').map(({ metadata }) => metadata.name)
    expect([...kept()]).toEqual([first])
    for (const _ of names) {
      await settle(world)
      world.finish()
    }
    await settle(world)
    expect(names.map((name) => world.told(name).slice(0, 4))).toEqual(names.map(() => 'True'))
    expect(kept().size).toBe(3)
    expect(kept().has(first)).toBe(false)
  })

  it('fails with what its process said', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    await settle(world)
    world.finish('Failed')
    const { events } = await world.turn()
    expect(world.told('seed-1')).toMatch(/^False ActionFailed: Action 'seed' of service 'web' failed: /)
    expect(events).toMatchObject([{ type: 'Warning', reason: 'ActionFailed' }])
    await settle(world)
    expect(shortened(world.writes)).toEqual(whole)
  })

  it('waits for those that came before, which run one after another', async () => {
    const asked = [askFor('b', { ageSeconds: 30 }), askFor('a', { ageSeconds: 10 }), askFor('c', { ageSeconds: 20 })]
    const world = await AskedWorld.with(asked)
    await settle(world)
    expect([world.told('b'), world.told('c'), world.told('a')]).toEqual([
      expect.stringContaining('Unknown RunningActions'),
      expect.stringContaining(
        "Unknown Queued: Action 'seed' of service 'web' waits for AppTask 'b', which comes first",
      ),
      expect.stringContaining("waits for AppTask 'c'"),
    ])
    for (const each of ['b', 'c', 'a']) {
      expect(world.told(each)).toContain('RunningActions')
      world.finish()
      await settle(world)
      expect(world.told(each)).toContain('True Completed')
    }
    expect(world.started.size).toBe(3)
  })

  it('is ended with its AppTask', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    await settle(world)
    world.remove('AppTask', { namespace: 'team', name: 'seed-1' })
    await settle(world)
    expect(world.list('Job')).toEqual([])
  })

  it('leaves the newest 20 that have ended, and the records of creation', async () => {
    const asked = Array.from({ length: 23 }, (_, index) => askFor(`seed-${index}`, { ageSeconds: 100 - index }))
    const world = await AskedWorld.with(asked)
    await settle(world)
    for (const _ of asked) {
      world.finish()
      await settle(world)
    }
    const names = world.list('AppTask').map(({ metadata }) => metadata.name)
    expect(names).toEqual(asked.slice(3).map(({ metadata }) => metadata.name))
  })
})

describe('an action is refused', () => {
  const refusals: readonly { why: string; spec?: object; instance?: object; says: string }[] = [
    {
      why: 'of an unknown name',
      spec: { action: { service: 'web', name: 'sed' } },
      says: "False ActionNotFound: Action 'sed' of service 'web' was not started: release hello-dev-33333-r1 has none of that name with run: Manual; there is 'seed', 'clear'",
    },
    {
      why: 'of an unknown service',
      spec: { action: { service: 'wep', name: 'seed' } },
      says: "has no service 'wep'; there is 'web'",
    },
    {
      why: 'of a disabled service',
      spec: { action: { service: 'jobs', name: 'seed' } },
      instance: { services: [{ name: 'jobs', enabled: false }] },
      says: "the service is disabled in AppInstance 'hello-dev' (spec.services)",
    },
    {
      why: 'that runs with releases',
      spec: { action: { service: 'web', name: 'migrate' } },
      says: 'it runs BeforeDeploy, with releases; to have it by hand, declare one with run: Manual',
    },
    {
      why: 'of an instance that is suspended',
      instance: { suspend: true },
      says: "False NotAllowed: Action 'seed' of service 'web' was not started: AppInstance 'hello-dev' is Suspended",
    },
  ]

  it.each(refusals)('$why', async ({ spec = {}, instance = {}, says }) => {
    const world = await AskedWorld.with([askFor('seed-1', { spec })], instance)
    await settle(world)
    expect(world.told('seed-1')).toContain(says)
    expect(world.task('seed-1')?.status?.steps).toMatchObject([{ state: 'Failed' }, { state: 'Pending' }])
    expect(world.writes).toEqual(['status AppTask seed-1'])
  })

  it('of an instance that is Errored', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    const failure = { class: 'Creation', reason: 'NamespaceConflict', message: '' } as never
    await world.turn({ failure })
    expect(world.told('seed-1')).toContain("AppInstance 'hello-dev' is Errored")
  })
})

describe('an action waits', () => {
  it('for the first release, for one that is not rolled out, for its actions, and for what it needs', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    const good = world.list('AppRelease')[0] as KubeObject & { status: object }
    const tell = async (next: KubeObject | undefined, found: object = {}): Promise<string> => {
      world.remove('AppRelease', { namespace: 'team', name: good.metadata.name })
      if (next) world.put(next)
      await world.turn(found)
      return world.told('seed-1')
    }
    const { status, ...unknown } = good
    expect(await tell(undefined, { applied: undefined })).toContain(
      "waits for the first release of AppInstance 'hello-dev'",
    )
    expect(await tell(unknown)).toContain('waits for release hello-dev-33333-r1 to be rolled out')
    expect(await tell({ ...good, status: { ...status, actions: [] } } as KubeObject)).toContain(
      'waits for the actions of release hello-dev-33333-r1',
    )
    expect(await tell(good, { applied: undefined })).toContain('waits for what release hello-dev-33333-r1 needs')
    expect(await tell(good)).toContain('RunningActions')
  })

  it("for a release's Job, by its name", async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    await settle(world)
    const [job] = world.list('Job')
    world.remove('Job', { namespace: 'hello-dev', name: job!.metadata.name })
    const theirs = {
      ...job!,
      metadata: {
        ...job!.metadata,
        name: 'web-migrate-r1-abcde',
        uid: 'theirs',
        annotations: { 'appstead.dev/release': 'r' },
      },
    }
    world.put(theirs)
    world.put(askFor('seed-2'))
    await settle(world)
    expect(world.told('seed-2')).toContain(
      'waits for an action of a release, which still runs; see kubectl logs -n hello-dev job/web-migrate-r1-abcde',
    )
  })
})
