export const disputeStates = ['open', 'accepted', 'rejected', 'withdrawn'] as const

/**
 * Where a dispute stands. What crosses on its way, an answer and a withdrawal, is kept on both sides, and counts as withdrawn there
 * and here.
 */
export type DisputeState = (typeof disputeStates)[number]

/** `accepted`: a credit note follows, made as any other. */
export const disputeOutcomes = ['accepted', 'rejected'] as const
export type DisputeOutcome = (typeof disputeOutcomes)[number]

/**
 * All of a dispute, as either side tells it to the other: the names are those of the message. Each message says the whole, and is taken for
 * what its sender decides: reason and withdrawal are the customer's, the answer is the supplier's.
 */
export interface SaidDispute {
  /** Of who raised it, the same on both sides: `dsp_…`. */
  readonly dispute: string
  /** The supplier's own id of the document: `inv_…`. */
  readonly document: string
  readonly number: string
  readonly reason: string
  /** Positions of the lines that are meant, from 1; none where it is the whole. */
  readonly lines: readonly number[]
  readonly raised_at: string
  readonly withdrawn_at: string | null
  readonly outcome: DisputeOutcome | null
  readonly answer: string | null
  readonly answered_at: string | null
}
