import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { usageFailure } from './failure.ts'

/**
 * A password from standard input, from a variable, or asked for. Never from an argument: those of every process can be read by
 * everybody on the machine.
 */
export async function readPassword(passwordVariable: string, canAsk: boolean): Promise<string> {
  const given = process.env[passwordVariable]
  if (given !== undefined && given !== '') return given
  const read = process.stdin.isTTY ? (canAsk ? await askUnseen() : '') : await text(process.stdin)
  const password = read.replace(/\r?\n$/, '')
  if (password !== '') return password
  throw usageFailure('No password was given.', `Send it to standard input, or set ${passwordVariable}.`)
}

/** What is typed does not show. */
async function askUnseen(): Promise<string> {
  process.stderr.write('  Password: ')
  const prompt = createInterface({ input: process.stdin, terminal: true })
  const answer = await prompt.question('')
  prompt.close()
  process.stderr.write('\n')
  return answer
}
