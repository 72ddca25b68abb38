import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from '../cluster/process.ts'

/** A Git repository in a folder for temporary files, with one branch, `main`. */
export interface GitRepository {
  /** Where tools read it. */
  readonly url: string
  read(path: string): string
  /** Writes files, removes those that are undefined, and commits all that changed. Returns the commit. */
  commit(why: string, files: Readonly<Record<string, string | undefined>>): Promise<string>
  /** Commits the opposite of the last commit. Returns the commit. */
  revertLast(): Promise<string>
  remove(): void
}

/** Makes one whose first commit holds what is in a folder. */
export async function makeGitRepository(from: string): Promise<GitRepository> {
  const folder = mkdtempSync(join(tmpdir(), 'appstead-git-'))
  const author = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgSign=false']
  const git = (...args: readonly string[]): Promise<string> => run('git', ['-C', folder, ...author, ...args])
  const commitAll = async (why: string): Promise<string> => {
    await git('add', '--all')
    await git('commit', '--quiet', '--message', why)
    return (await git('rev-parse', 'HEAD')).trim()
  }
  await git('init', '--quiet', '--initial-branch=main')
  cpSync(from, folder, { recursive: true })
  await commitAll('Begin')
  return {
    url: `file://${folder}`,
    read: (path) => readFileSync(join(folder, path), 'utf8'),
    commit(why, files) {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true })
        if (text === undefined) rmSync(join(folder, path))
        else writeFileSync(join(folder, path), text)
      }
      return commitAll(why)
    },
    async revertLast() {
      await git('revert', '--no-edit', 'HEAD')
      return (await git('rev-parse', 'HEAD')).trim()
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}
