import { basename } from 'node:path'
import process from 'node:process'
import { isSea } from 'node:sea'
import { complete } from './complete.ts'
import { namesFor } from './names.ts'
import { run } from './run.ts'

/** All of it in one file: by the name under which it is called it is the plugin, or what kubectl asks for completion. */

const calledAs = basename((isSea() ? process.argv0 : process.argv[1]) ?? '')
const words = process.argv.slice(2)

async function main(): Promise<void> {
  if (calledAs.startsWith('kubectl_complete-')) process.stdout.write(await complete(words, namesFor))
  else process.exitCode = await run(words, process)
}

// No await here: what goes into a program of Node's own is no module.
void main()
