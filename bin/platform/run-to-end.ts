import { spawn } from 'node:child_process'

const tailCharacters = 2_000

/**
 * Runs a program to its end; with the caller's signal it ends with all that it started.
 * @throws with its last line unless it ends with exit code 0
 */
export async function runToEnd(argv: readonly string[], abortSignal: AbortSignal): Promise<void> {
  abortSignal.throwIfAborted()
  const [program = '', ...args] = argv
  // A group of its own can be ended as a whole.
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = (): void => endGroup(child.pid)
  const ended = Promise.withResolvers<number | null>()
  let tail = ''
  const listen = (chunk: Buffer): void => {
    tail = `${tail}${chunk.toString('utf8')}`.slice(-tailCharacters)
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  child.once('error', ended.reject)
  child.once('close', ended.resolve)
  abortSignal.addEventListener('abort', stop, { once: true })
  try {
    const code = await ended.promise
    abortSignal.throwIfAborted()
    if (code === 0) return
    throw new Error(`${program} ended with exit code ${code}: ${tail.trim().split('\n').at(-1) ?? ''}`)
  } finally {
    abortSignal.removeEventListener('abort', stop)
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It has ended by itself meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
