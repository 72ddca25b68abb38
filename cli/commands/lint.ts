import { exitCodes, type Run } from '../command.ts'
import { readFiles } from '../files.ts'
import { lintFile, sentenceOf } from '../lint/lint.ts'

/** `lint -f FILE…`: 0 when the API server would take all of it, 3 when not. */
export const lint: Run = async (call) => {
  const { io } = call
  const results = (await readFiles(call)).map(({ file, text }) => lintFile(file, text))
  const findings = results.flatMap((each) => each.findings)
  const looked = results.reduce((sum, each) => sum + each.looked, 0)
  const others = results.reduce((sum, each) => sum + each.others, 0)
  if (call.text('output') === 'json') io.out(`${JSON.stringify({ findings, looked, others }, null, 2)}\n`)
  else {
    for (const finding of findings) io.out(`${sentenceOf(finding, (place) => io.paint('bold', place))}\n`)
    if (findings.length === 0)
      io.out(`${count(looked)} good${others === 0 ? '' : `; ${others} of others not looked at`}\n`)
  }
  return findings.length === 0 ? exitCodes.done : exitCodes.notSo
}

function count(objects: number): string {
  return objects === 1 ? '1 object of Appstead is' : `${objects} objects of Appstead are`
}
