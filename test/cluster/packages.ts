import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { run, searchPath } from './process.ts'
import { withProgress, type Report } from './progress.ts'

/** A Debian package that the node needs, and a command or CNI plugin by which we see that it is there. */
interface Package {
  name: string
  command?: string
  plugin?: string
}

/** Where the CNI plugins may lie: Debian's place, and the one of everybody else. */
export const pluginFolders = ['/usr/lib/cni', '/opt/cni/bin']

/** What the node level needs beside Go. Debian's containerd is too old for the kubelet, so that one is built. */
export const nodePackages: readonly Package[] = [
  { name: 'runc', command: 'runc' },
  { name: 'containernetworking-plugins', plugin: 'ptp' },
  { name: 'iptables', command: 'iptables' },
  { name: 'nftables', command: 'nft' },
  { name: 'iproute2', command: 'ip' },
  { name: 'conntrack', command: 'conntrack' },
  { name: 'util-linux', command: 'nsenter' },
]

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isThere({ command, plugin }: Package): boolean {
  if (plugin !== undefined) return pluginFolders.some((folder) => isExecutable(join(folder, plugin)))
  return command !== undefined && searchPath.some((folder) => isExecutable(join(folder, command)))
}

/** The names of those packages that are not on this machine. */
export function findMissing(packages: readonly Package[]): string[] {
  return packages.filter((wanted) => !isThere(wanted)).map((wanted) => wanted.name)
}

/** The command that installs packages on Debian and its kin. */
export const installCommand = (names: string[]): string =>
  `apt-get update && apt-get install --yes --no-install-recommends ${names.join(' ')}`

/** Whether packages are installed here by themselves: root on Debian. */
export const mayInstallPackages = (): boolean => process.getuid?.() === 0 && existsSync('/etc/debian_version')

/**
 * Installs the missing ones of these packages if this is root on Debian.
 * Throws elsewhere, with their names and the command that Debian would take.
 */
export async function ensurePackages(
  packages: readonly Package[],
  report: Report,
  mayInstall = mayInstallPackages(),
): Promise<void> {
  const missing = findMissing(packages)
  if (missing.length === 0) return
  if (!mayInstall) {
    throw new Error(
      `missing on this machine: ${missing.join(', ')}. On Debian, as root: ${installCommand(missing)}. ` +
        'On another system install the packages that hold the same programs',
    )
  }
  await withProgress(report, `installing Debian packages: ${missing.join(' ')}`, 20, () =>
    run('sh', ['-c', installCommand(missing)], { env: { DEBIAN_FRONTEND: 'noninteractive' } }),
  )
  const still = findMissing(packages)
  if (still.length > 0) throw new Error(`installed, and yet not found: ${still.join(', ')}`)
}
