import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { usageFailure } from './failure.ts'
import type { Session } from './session.ts'
import type { Shell } from './shell.ts'

/**
 * A password from standard input, from a variable, or asked for. Never from an argument: those of every process can be read by
 * everybody on the machine.
 */
export async function readPassword({ out, shell }: Session, passwordVariable: string): Promise<string> {
  const given = shell.env[passwordVariable]
  if (given !== undefined && given !== '') return given
  const read = shell.stdin.isTTY ? (out.canAsk ? await askUnseen(shell) : '') : await text(shell.stdin)
  const password = read.replace(/\r?\n$/, '')
  if (password !== '') return password
  throw usageFailure('No password was given.', `Send it to standard input, or set ${passwordVariable}.`)
}

/** What is typed does not show. */
async function askUnseen({ stdin, stderr }: Shell): Promise<string> {
  stderr.write('  Password: ')
  const prompt = createInterface({ input: stdin, terminal: true })
  const answer = await prompt.question('')
  prompt.close()
  stderr.write('\n')
  return answer
}
