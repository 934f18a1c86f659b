import { fieldError } from '#domain/errors.ts'

/**
 * Turns the database's refusal of a second row with one code into ours. The unique key decides, not a look beforehand:
 * of two at once one wins.
 * @throws `code_taken`
 */
export async function refuseTakenCode<T>(code: string, insert: () => Promise<T>): Promise<T> {
  try {
    return await insert()
  } catch (error) {
    if (isUniqueViolation(error)) {
      throw fieldError('/code', 'code_taken', `The code ${code} is taken. Choose another one.`)
    }
    throw error
  }
}

/** PostgreSQL's unique_violation. */
function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505'
}
