import { CommanderError } from 'commander'
import { exitCodes, type ExitCode } from './clouder/exit-code.ts'
import { CommandFailure, describeFailure, failureJson } from './clouder/failure.ts'
import { createProgram, writeOutUsual } from './clouder/program.ts'

const args = process.argv.slice(2)

/** A reader that has seen enough (`| head`) is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.ok)
  throw error
})

/** The exit code, with the reason told on stderr. A bug of ours shows its stack. */
function tellFailure(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (!(error instanceof CommandFailure)) {
    console.error(error)
    return exitCodes.failed
  }
  console.error(args.includes('--json') ? failureJson(error.facts) : describeFailure(error.facts))
  return error.facts.exitCode
}

try {
  await createProgram().parseAsync(writeOutUsual(args), { from: 'user' })
} catch (error) {
  process.exitCode = tellFailure(error)
}
