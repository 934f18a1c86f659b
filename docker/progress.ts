import { NoProgress } from '#domain/no-progress.ts'
import type { RunnerContext } from '#domain/runner.ts'

/**
 * Does what tells of its progress, and ends it once it has told of none for too long.
 * @throws `NoProgress`, which is worth a retry
 */
export async function withProgress<T>(
  ctx: RunnerContext,
  { what, silenceMs }: { what: string; silenceMs: number },
  work: (ctx: RunnerContext) => Promise<T>,
): Promise<T> {
  const silence = new AbortController()
  const end = (): void => silence.abort(new NoProgress(what, silenceMs))
  let timer = setTimeout(end, silenceMs)
  const watched: RunnerContext = {
    ...ctx,
    abortSignal: AbortSignal.any([ctx.abortSignal, silence.signal]),
    onProgress: (text) => {
      clearTimeout(timer)
      timer = setTimeout(end, silenceMs)
      ctx.onProgress(text)
    },
  }
  try {
    return await work(watched)
  } finally {
    clearTimeout(timer)
  }
}
