import type { Writable } from 'node:stream'
import type { Command } from 'commander'

/** What a command is run in: the process itself, or what a test gives it instead. */
export interface Shell {
  readonly env: NodeJS.ProcessEnv
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  exitCode?: number | string | null | undefined
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

const shells = new WeakMap<Command, Shell>()

/** Everything in the program is run in this shell. */
export function runIn(shell: Shell, program: Command): void {
  shells.set(program, shell)
  // The commands of a program write their help and their refusals to where it does.
  program.configureOutput({
    writeOut: (text) => void shell.stdout.write(text),
    writeErr: (text) => void shell.stderr.write(text),
  })
}

export function shellOf(command: Command): Shell {
  const shell = shells.get(command)
  if (shell !== undefined) return shell
  if (command.parent === null) throw new Error(`the program of ${command.name()} is run in no shell`)
  return shellOf(command.parent)
}
