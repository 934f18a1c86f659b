import { inspect } from 'node:util'
import { CommanderError } from 'commander'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { CommandFailure, describeFailure, failureJson } from './failure.ts'
import { createProgram, writeOutUsual } from './program.ts'
import type { Shell } from './shell.ts'

/** The whole command line, in a shell. */
export async function runCommand(shell: Shell, args: readonly string[]): Promise<void> {
  try {
    await createProgram(shell).parseAsync(writeOutUsual(args), { from: 'user' })
  } catch (error) {
    shell.exitCode = tellFailure(shell, error, args.includes('--json'))
  }
}

/** The exit code, with the reason told on stderr. A bug of ours shows its stack. */
function tellFailure({ stderr }: Shell, error: unknown, isJson: boolean): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (!(error instanceof CommandFailure)) {
    stderr.write(`${inspect(error)}\n`)
    return exitCodes.failed
  }
  stderr.write(`${isJson ? failureJson(error.facts) : describeFailure(error.facts)}\n`)
  return error.facts.exitCode
}
