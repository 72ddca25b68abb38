import { styleText } from 'node:util'
import { CommandError, exitCodes, type Io } from './command.ts'
import { helpOf } from './help.ts'
import { parse } from './parse.ts'

/** What of a process is needed. */
interface Streams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

/** Does what a command line asks for. Out: the exit code. Throws only what is a bug. */
export async function run(words: readonly string[], { stdout, stderr }: Streams): Promise<number> {
  // Who reads no further, such as head, has seen enough.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  try {
    const { command, call } = parse(words)
    const io = ioOf(stdout, stderr, call.text('color'))
    if (!command || call.flag('help')) {
      io.out(helpOf(command))
      return exitCodes.done
    }
    const start = await command.load()
    return await start({ ...call, io })
  } catch (error) {
    if (!isTold(error)) throw error
    stderr.write(`error: ${error.message}\n`)
    return exitCodes.failed
  }
}

/** What is no bug of ours has a message for people. By name: the classes of what talks to a server are loaded late. */
function isTold(error: unknown): error is Error {
  return error instanceof CommandError || (error instanceof Error && ['KubeError', 'AccessError'].includes(error.name))
}

function ioOf(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream, color: string | undefined): Io {
  return {
    out: (text) => void stdout.write(text),
    error: (text) => void stderr.write(text),
    paint(colour, text) {
      if (color === 'never') return text
      // NO_COLOR, FORCE_COLOR and whether it is a terminal are looked at by Node.
      return styleText(colour, text, { stream: stdout, validateStream: color !== 'always' })
    },
  }
}
