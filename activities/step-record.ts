import { Context } from '@temporalio/activity'
import { beginStep, failStep, setStepProgress, type StepDetail } from '#db/build-step.ts'
import type { Db } from '#db/database.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import { NoProgress } from '#domain/no-progress.ts'

/** Writes attempt and failure of a step beside what happens in Temporal, so that pages show both alike. */
export async function recorded<T>(db: Db, step: StepDetail, effect: () => Promise<T>): Promise<T> {
  await beginStep(db, step.id, Context.current().info.attempt)
  try {
    return await effect()
  } catch (error) {
    // Who was told to end has not failed: the step is undone, or carried out once more.
    if (Context.current().cancellationSignal.aborted) throw error
    const isFinal = error instanceof BusinessError
    const detail = messageOf(error)
    await failStep(db, step.id, { code: codeOf(error), detail, isFinal })
    throw error
  }
}

/** What is tried again by itself has no code of its own, but for one that has said nothing for too long. */
function codeOf(error: unknown): string {
  return error instanceof BusinessError || error instanceof NoProgress ? error.code : 'retrying'
}

/** At most one row update a second: pulls tell of every layer. */
export function showProgress(db: Db, stepId: string): (text: string) => void {
  let lastMs = 0
  return (text) => {
    if (Date.now() - lastMs < 1_000) return
    lastMs = Date.now()
    setStepProgress(db, stepId, text).catch(() => {
      // Progress is for the eye: the step itself reports what matters.
    })
  }
}
