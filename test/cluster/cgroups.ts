import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Control groups of nodes' pods: one folder per hierarchy and node, below the one that is named after the cluster. */

const unified = '/sys/fs/cgroup'

/** Where the hierarchies are mounted: one with cgroup v2, several with v1. */
function hierarchies(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n')
  const found = mounts.map((line) => line.split(' ')).filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
  return found.map(([, place]) => place ?? '').filter((place) => place.startsWith('/sys/fs/cgroup'))
}

/** A cpuset of v1 takes no process before it was told which processors and memory it may use. */
function copyCpuset(parent: string, folder: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (existsSync(join(folder, file))) writeFileSync(join(folder, file), readFileSync(join(parent, file), 'utf8'))
  }
}

/** With v2 a controller works below a folder only where the folders above pass it on. */
function passControllersOn(folder: string): void {
  const available = readFileSync(join(folder, 'cgroup.controllers'), 'utf8').trim().split(' ')
  for (const controller of available.filter((name) => name !== '')) {
    writeFileSync(join(folder, 'cgroup.subtree_control'), `+${controller}`)
  }
}

/** Makes the control group that a kubelet puts its pods under, and those above; it does not make it itself. */
export function makeCgroups(cgroup: string): void {
  const isV2 = existsSync(join(unified, 'cgroup.controllers'))
  for (const hierarchy of hierarchies()) {
    if (isV2) passControllersOn(hierarchy)
    let parent = hierarchy
    for (const name of cgroup.split('/').filter((part) => part !== '')) {
      const folder = join(parent, name)
      mkdirSync(folder, { recursive: true })
      if (isV2) passControllersOn(folder)
      else copyCpuset(parent, folder)
      parent = folder
    }
  }
}

function removeTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name))
  }
  rmdirSync(folder)
}

async function removeWhenEmpty(folder: string): Promise<void> {
  for (let attempt = 1; existsSync(folder); attempt++) {
    try {
      removeTree(folder)
    } catch (error) {
      if (attempt === 100) throw error
      await pause(50)
    }
  }
}

/** Removes a control group whose processes have ended, and those below. The kernel may need a moment to let go of them. */
export async function removeCgroups(cgroup: string): Promise<void> {
  for (const hierarchy of hierarchies()) await removeWhenEmpty(join(hierarchy, cgroup))
}
