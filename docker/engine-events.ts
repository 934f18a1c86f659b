import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { z } from 'zod'
import { installationLabels } from '#domain/build-plan.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { call } from './engine.ts'
import { labelFilter } from './identity.ts'

/** What is done inside a container, by us for the most part, changes nothing of it. */
const INSIDE = /^(?:exec_|top|attach|detach|resize|archive-path|extract-to-dir|export|commit)/

const engineEvent = z.object({
  Action: z.string(),
  Actor: z.object({ Attributes: z.record(z.string(), z.string()).default({}) }),
})

/**
 * Listens to what the engine tells of the installation's containers, until the caller's signal ends it. Volumes and networks tell
 * without labels: they cannot go while a container has them, and the next comparison sees them.
 */
export async function watchEngine(
  docker: Docker,
  { installation, onChange }: { installation: string; onChange: (instance: string) => void },
  ctx: RunnerContext,
): Promise<void> {
  const filters = { type: ['container' as const], ...labelFilter(installationLabels(installation)) }
  const listening = new AbortController()
  const { signal: abortSignal } = listening
  // Given up, its connection is closed: an engine that hangs would gather them.
  const stream = await call(ctx, 'listen to the engine', () =>
    docker.getEvents({ filters, abortSignal }),
  ).catch((error: unknown) => {
    listening.abort()
    throw error
  })
  if (!(stream instanceof Readable)) throw new Error('the engine gave no stream of events')
  const lines = createInterface({ input: stream })
  // A stream that breaks off, or is given up, does not end: its lines would be waited for for ever.
  stream.on('error', () => lines.close()).on('close', () => lines.close())
  const stop = (): void => void stream.destroy()
  ctx.abortSignal.addEventListener('abort', stop, { once: true })
  try {
    for await (const line of lines) {
      const instance = changedInstance(line)
      if (instance !== undefined) onChange(instance)
    }
  } finally {
    ctx.abortSignal.removeEventListener('abort', stop)
    stream.destroy()
  }
  if (!ctx.abortSignal.aborted) throw new Error('the engine tells no more')
}

function changedInstance(line: string): string | undefined {
  if (line.trim() === '') return undefined
  const event = engineEvent.safeParse(JSON.parse(line))
  if (!event.success || INSIDE.test(event.data.Action)) return undefined
  return event.data.Actor.Attributes['io.clouder.instance']
}
