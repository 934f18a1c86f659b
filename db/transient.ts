/**
 * PostgreSQL's classes and codes of what may succeed when it is tried again: connection lost, rolled back for another one's
 * sake, out of resources, lock not given in time, server going down or coming up. Not a statement given up at its deadline:
 * it takes as long the next time.
 */
const transientStates = /^(08|40|53|57P|55P03)/

/** The system's names for a connection that broke, and those the driver gives no code. */
const transientSystemCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])
const lostConnection =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/

/** Whether an error says nothing about what was asked: it is worth another try, and no reason to trouble a person. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return transientStates.test(code) || transientSystemCodes.has(code) || lostConnection.test(error.message)
}
