import { messageOf } from '#domain/errors.ts'

export interface Finding {
  readonly state: 'ok' | 'warn' | 'fail' | 'skipped'
  readonly found: string
}

export interface Check {
  readonly name: string
  readonly wanted: string
  /** The one command that helps where it is not so. */
  readonly command: string
  readonly look: () => Finding | Promise<Finding>
}

export interface Result extends Finding {
  readonly name: string
  readonly wanted: string
  readonly command: string
}

const timeoutMs = 10_000

export const ok = (found: string): Finding => ({ state: 'ok', found })
export const warn = (found: string): Finding => ({ state: 'warn', found })
export const fail = (found: string): Finding => ({ state: 'fail', found })
export const skipped = (found: string): Finding => ({ state: 'skipped', found })

/** A check that something needed was not there to be looked at: what is missing is told by a check of its own. */
export class NothingToLookAt extends Error {}

/** All run, none stops the others, none takes longer than ten seconds. */
export async function runChecks(checks: readonly Check[]): Promise<Result[]> {
  return await Promise.all(
    checks.map(async ({ name, wanted, command, look }) => ({
      name,
      wanted,
      command,
      ...(await attempt(look)),
    })),
  )
}

async function attempt(look: Check['look']): Promise<Finding> {
  const { promise: timeout, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs / 1_000} s`)), timeoutMs)
  try {
    return await Promise.race([look(), timeout])
  } catch (error) {
    const found = (messageOf(error) || String(error)).split('\n')[0] ?? ''
    return error instanceof NothingToLookAt ? skipped(found) : fail(found)
  } finally {
    clearTimeout(timer)
  }
}
