import { ApplicationFailure, Context } from '@temporalio/activity'
import { BusinessError } from '#domain/errors.ts'
import type { RunnerContext } from '#domain/runner.ts'

/**
 * A refusal ends an activity for good, with its code as the failure's type; everything else is left to the retry policy.
 * Only its first line goes into the history: what a container wrote, below it, stays in our rows.
 */
function toFailure(error: unknown): unknown {
  if (!(error instanceof BusinessError)) return error
  const [first = '', ...written] = error.message.split('\n')
  const message =
    written.length === 0 ? first : first.replace(/ Its last lines:$/, ' Its step shows what it wrote.')
  return ApplicationFailure.create({ message, type: error.code, nonRetryable: true })
}

type Activity<Input, Output> = (input: Input) => Promise<Output>

/** Gives activities whose refusals Temporal understands. `onRefusal` is called once all that was refused is rolled back. */
export function refusing<Activities extends Record<string, Activity<never, unknown>>>(
  activities: Activities,
  onRefusal: (error: unknown) => Promise<void> = async () => {},
): Activities {
  const wrapped = Object.entries(activities).map(([name, activity]) => {
    const guarded = async (input: never): Promise<unknown> => {
      try {
        return await activity(input)
      } catch (error) {
        await onRefusal(error)
        throw toFailure(error)
      }
    }
    return [name, guarded] as const
  })
  return Object.fromEntries(wrapped) as Activities
}

/**
 * A runner's context for the activity that runs now: a heartbeat every second says that the worker lives and lets a
 * cancellation through, and the newest progress is kept.
 */
export async function withRunnerContext<T>(
  use: (ctx: RunnerContext) => Promise<T>,
  given: { secrets?: Readonly<Record<string, string>>; onProgress?: (text: string) => void } = {},
): Promise<T> {
  const context = Context.current()
  let latest = ''
  const beat = setInterval(() => context.heartbeat(latest), 1_000)
  try {
    return await use({
      abortSignal: context.cancellationSignal,
      secrets: given.secrets ?? {},
      onProgress: (text) => {
        latest = text.slice(0, 200)
        context.heartbeat(latest)
        given.onProgress?.(text)
      },
    })
  } finally {
    clearInterval(beat)
  }
}
