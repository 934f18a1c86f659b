/** What a program that calls the command line may rely on. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  conflict: 5,
  unreachable: 6,
  /** It was done, and something needs a person: a build that failed, a subscription that is parked, a doctor's warning. */
  warnings: 7,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A request that names something unknown is "not found", in whichever part of the request the name stands. */
export function exitCodeOfProblem(status: number, code: string): ExitCode {
  if (status === 404 || status === 410 || code.endsWith('_unknown')) return exitCodes.notFound
  if (status === 401 || status === 403) return exitCodes.notAllowed
  if (status === 409) return exitCodes.conflict
  if (status === 502 || status === 503 || status === 504) return exitCodes.unreachable
  return status < 500 ? exitCodes.usage : exitCodes.failed
}
