import { exitCodes, type ExitCode } from './exit-code.ts'
import type { Problem } from '#api/errors.ts'

export interface FailureFacts {
  readonly exitCode: ExitCode
  readonly cause: string
  /** What to do about it; a command where there is one. */
  readonly fix: string
  readonly link?: string
  readonly requestId?: string
  /** What the API answered, for programs. */
  readonly problem?: Problem
}

/** A command that could not be carried out, told to a person. Anything else that is thrown is a bug of ours. */
export class CommandFailure extends Error {
  readonly facts: FailureFacts

  constructor(facts: FailureFacts, options?: ErrorOptions) {
    super(facts.cause, options)
    this.name = 'CommandFailure'
    this.facts = facts
  }
}

export function usageFailure(cause: string, fix: string): CommandFailure {
  return new CommandFailure({ exitCode: exitCodes.usage, cause, fix })
}

export function notFoundFailure(cause: string, fix: string): CommandFailure {
  return new CommandFailure({ exitCode: exitCodes.notFound, cause, fix })
}

/** For a terminal, what matters most last: that is where the eye is. */
export function describeFailure({ cause, fix, link, requestId }: FailureFacts): string {
  const lines = [
    ...(requestId === undefined ? [] : [`  request     ${requestId}`]),
    ...(link === undefined ? [] : [`  more        ${link}`]),
    `  error       ${cause}`,
    `  what helps  ${fix}`,
  ]
  return lines.join('\n')
}

/** For a program: one line of JSON. */
export function failureJson({ exitCode, cause, fix, link, problem }: FailureFacts): string {
  return JSON.stringify({
    error: { exit_code: exitCode, cause, fix, link: link ?? null, problem: problem ?? null },
  })
}
