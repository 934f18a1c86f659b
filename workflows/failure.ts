import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
} from '@temporalio/workflow'

export interface Refusal {
  readonly code: string
  readonly detail: string
}

/** Why an activity ended for good: its refusal, or what it failed with. A cancellation is raised again. */
export function toRefusal(error: unknown): Refusal {
  if (isCancellation(error)) throw error
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    const { cause } = error
    if (cause instanceof ApplicationFailure) return { code: cause.type ?? 'failed', detail: cause.message }
    return { code: 'failed', detail: cause?.message ?? error.message }
  }
  throw error
}
