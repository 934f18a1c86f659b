import type Docker from 'dockerode'
import type { RunnerContext } from '#domain/runner.ts'

/** One event of a pull or a build; the engine's other fields are of no use here. */
interface ImageEvent {
  readonly error?: string
  readonly errorDetail?: { readonly message?: string }
  readonly status?: string
  readonly stream?: string
  readonly progress?: string
}

/** Reads a pull or build to its end: only then it has happened. */
export async function followEvents(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  ctx: RunnerContext,
): Promise<ImageEvent[]> {
  const end = Promise.withResolvers<ImageEvent[]>()
  docker.modem.followProgress(
    stream,
    (error: Error | null, events: unknown) => {
      if (error === null) end.resolve(Array.isArray(events) ? events : [])
      else end.reject(error)
    },
    (event: unknown) => ctx.onProgress(textOf(event)),
  )
  return await end.promise
}

/** The stream may end without an error although an event carried one, so each is looked at. */
export function failureIn(events: readonly ImageEvent[]): string | undefined {
  for (const event of events) {
    const failure = event.errorDetail?.message ?? event.error
    if (failure !== undefined) return failure
  }
  return undefined
}

function textOf(event: unknown): string {
  if (typeof event !== 'object' || event === null) return ''
  const { status, stream, progress }: ImageEvent = event
  return `${status ?? stream ?? ''} ${progress ?? ''}`.trim()
}
