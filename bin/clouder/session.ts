import type { Command } from 'commander'
import { createApi, type Api } from './client.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { createOutput, type Output } from './output.ts'
import { readSettings } from './settings.ts'
import { shellOf, type Shell } from './shell.ts'

/** What a command works with. */
export interface Session {
  readonly api: Api
  readonly out: Output
  readonly shell: Shell
}

export interface GlobalOptions {
  readonly json?: true
  readonly input?: boolean
}

/** What a command does; a number is the exit code, nothing is success. */
type Work<Args extends readonly unknown[], Options> = (
  session: Session,
  call: { args: Args; options: Options },
) => Promise<ExitCode | undefined | void>

/** The action of a command that talks to the API. Commander has checked arguments and options against the declaration. */
export function withSession<Args extends readonly unknown[] = [], Options = object>(
  work: Work<Args, Options>,
) {
  return async function (this: Command): Promise<void> {
    const shell = shellOf(this)
    const out = outputOf(shell, this.optsWithGlobals<GlobalOptions>())
    const session = { api: createApi(readSettings(shell.env)), out, shell }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- commander has checked them by the declaration
    const args = this.processedArgs as unknown as Args
    // The command's own, and no global ones: some send all of them as they are.
    const code = await work(session, { args, options: this.opts<Options & object>() })
    shell.exitCode = code ?? exitCodes.ok
  }
}

export function outputOf(shell: Shell, options: GlobalOptions): Output {
  return createOutput(shell, { json: options.json === true, input: options.input !== false })
}
