/** Something that must never be in the database, and the query that would find it. */
export interface Invariant {
  /** In a sentence: never … */
  readonly never: string
  /** One row a breach, with a column `found` that says which rows break it. */
  readonly query: string
}
