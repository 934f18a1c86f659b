import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ApplicationDefinition } from '#domain/application.ts'
import { BusinessError } from '#domain/errors.ts'
import type { SharedMetric } from '#domain/shared-metric.ts'
import { definitionOf, type CheckedFile } from './application.ts'

/** A compose file that was sent from outside. */
export interface SentFile {
  readonly code: string
  readonly compose: string
  /** Text of the files beside it, by their path. Images are not built from what is sent. */
  readonly files: Readonly<Record<string, string>>
  /** Permissions that the application has. */
  readonly grants: readonly string[]
  /** Metrics that the installation defines for all applications; left out, none. */
  readonly sharedMetrics?: readonly SharedMetric[]
}

export interface BoundedReader {
  /** @throws `application_refused` */
  readonly read: (sent: SentFile) => Promise<ApplicationDefinition>
  readonly close: () => Promise<void>
}

interface Bounds {
  readonly deadlineMs: number
  readonly memoryMib: number
}

/** The largest honest file takes some 50 ms; a machine with other work to do may take its time over it. */
const usualBounds: Bounds = { deadlineMs: 3_000, memoryMib: 64 }
const script = new URL('reader-thread.ts', import.meta.url)

/**
 * Reads files of strangers in a thread of its own: one that takes more time or memory than any honest file ends the thread,
 * and nothing else. Files are read one after the other; the thread is started with the first.
 */
export function openBoundedReader(bounds: Bounds = usualBounds): BoundedReader {
  let thread: Promise<Worker> | null = null
  let last: Promise<unknown> = Promise.resolve()

  const read = async (sent: SentFile): Promise<CheckedFile> => {
    thread ??= startThread(bounds)
    const worker = await thread
    try {
      return await ask(worker, sent, bounds)
    } catch (error) {
      thread = null
      await worker.terminate()
      throw new BusinessError(
        'application_refused',
        `application ${sent.code} is refused: reading the file took more than ${bounds.deadlineMs} ms or ${bounds.memoryMib} MiB; write it plainly`,
        { cause: error },
      )
    }
  }

  return {
    async read(sent) {
      const turn = last.then(async () => read(sent))
      last = turn.catch(() => {})
      return definitionOf(sent.code, await turn)
    },
    async close() {
      await last
      await (await thread)?.terminate()
      thread = null
    },
  }
}

/** Ready once its modules are loaded: the deadline is for the file alone. */
async function startThread({ memoryMib }: Bounds): Promise<Worker> {
  const worker = new Worker(script, { resourceLimits: { maxOldGenerationSizeMb: memoryMib } })
  worker.unref()
  await answerOf(worker)
  return worker
}

/** Fails when the answer is late, or when the thread ended over the file. */
async function ask(worker: Worker, sent: SentFile, { deadlineMs }: Bounds): Promise<CheckedFile> {
  const answer = answerOf(worker, AbortSignal.timeout(deadlineMs))
  worker.postMessage(sent)
  return (await answer) as CheckedFile
}

async function answerOf(worker: Worker, deadline?: AbortSignal): Promise<unknown> {
  const answered = new AbortController()
  const signal = AbortSignal.any([answered.signal, ...(deadline === undefined ? [] : [deadline])])
  const ended = once(worker, 'exit', { signal }).then(() => {
    throw new Error('the thread ended')
  })
  try {
    const [answer] = (await Promise.race([once(worker, 'message', { signal }), ended])) as unknown[]
    return answer
  } finally {
    answered.abort()
    ended.catch(() => {})
  }
}
