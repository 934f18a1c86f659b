/** A worked example of another engine, as the vector files hold it. */
export interface Vector {
  readonly id: string
  readonly kind: string
  readonly inputs: Readonly<Record<string, unknown>>
  readonly expected: Readonly<Record<string, unknown>>
  readonly policy?: string
}

/** Asks our engine what the vector asks, and answers under the names of `expected`. It never reads an expected value. */
export type Adapter = (vector: Vector) => Readonly<Record<string, unknown>>

/** A case of a section of the second format: what is stated are its fields that begin with `expect`. */
export type OcaCase = Readonly<Record<string, unknown>>
export type OcaAdapter = (testCase: OcaCase, section: string) => Readonly<Record<string, unknown>>

/** The vector follows a rule that is not ours: one of the table of decisions, by kind and source. */
export class ByDecision extends Error {
  readonly decision: string

  constructor(decision: string) {
    super(decision)
    this.decision = decision
  }
}
