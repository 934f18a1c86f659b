export type ProblemFacts = {
  /** What was seen, as a sentence. */
  found: string
  /** What Clouder needs instead. */
  wanted: string
  /** The one command that helps, ready to be pasted. */
  command: string
  /** What can be used although this does not work. */
  stillWorks: string
}

/** Something about the machine stands in the way, and a person can do something about it. Never a bug of ours. */
export class PlatformProblem extends Error {
  readonly facts: ProblemFacts

  constructor(facts: ProblemFacts, options?: ErrorOptions) {
    super(`${facts.found} ${facts.wanted}`, options)
    this.name = 'PlatformProblem'
    this.facts = facts
  }
}

/** The problem as a block of four lines, for a terminal. */
export function describeProblem(facts: ProblemFacts): string {
  return [
    `  found        ${facts.found}`,
    `  wanted       ${facts.wanted}`,
    `  what helps   ${facts.command}`,
    `  still works  ${facts.stillWorks}`,
  ].join('\n')
}

/** A full disk is met in many places; wherever it surfaces, the same sentence is wanted. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC'
}
