/** Something that must never be in the database, and the query that would find it. */
export interface Invariant {
  /** In a sentence: never … */
  readonly never: string
  /** One row a breach, with a column `found` that says which rows break it. */
  readonly query: string
  /** While bills are under way it may be found: something is always due that is not billed yet. */
  readonly isOfSettledBooks?: true
}
