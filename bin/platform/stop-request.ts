/**
 * Calls `stop` once, on the first request to end: Ctrl-C, a polite kill, a closed terminal, or the death of
 * the process that started us. Ctrl-C often arrives twice (from the terminal and from npm), so later ones are
 * ignored; stopping has deadlines of its own.
 */
export function onStopRequest(stop: (reason: string) => void): void {
  let isRequested = false
  const request = (reason: string) => {
    if (isRequested) return
    isRequested = true
    stop(reason)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => request(signal))
  process.on('disconnect', () => request('the parent process is gone'))
  process.channel?.unref()
  // When the reader of our output is gone first (a closed terminal, `| head`), stopping in order still goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}
