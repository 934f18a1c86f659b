import { exitCodes, type ExitCode } from './exit-code.ts'
import type { Session } from './session.ts'

/**
 * Follows something that goes on by itself. Ctrl-C ends the following only, and says how to come back. It may arrive twice
 * (from the terminal, and passed on by the first stage), so it stays caught until the end.
 */
export async function untilInterrupted(
  { out, shell }: Session,
  howToReturn: () => string,
  follow: (stopped: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  shell.on('SIGINT', stop)
  try {
    return await follow(stopping.signal)
  } catch (error) {
    if (!stopping.signal.aborted) throw error
    if (out.isLive) out.sayOver('')
    out.say(howToReturn())
    return exitCodes.interrupted
  }
}
