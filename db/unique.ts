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
    const violated = violatedKey(error)
    if (violated === undefined || isOfExternalId(violated)) throw error
    throw fieldError('/code', 'code_taken', `The code ${code} is taken. Choose another one.`)
  }
}

/**
 * The same of a second row of a kind with one external id.
 * @param pointer of the field that names it
 * @throws `external_id_taken`
 */
export async function refuseTakenExternalId<T>(
  externalId: string | null | undefined,
  pointer: string,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!isOfExternalId(violatedKey(error) ?? '')) throw error
    const detail = `The external id ${externalId} belongs to another one. Each is used once per kind.`
    throw fieldError(pointer, 'external_id_taken', detail)
  }
}

/**
 * The same of a second document of a supplier with one number.
 * @throws `document_number_taken`
 */
export async function refuseTakenNumber<T>(number: string, insert: () => Promise<T>): Promise<T> {
  try {
    return await insert()
  } catch (error) {
    if (violatedKey(error) !== 'one_of_a_number') throw error
    throw fieldError('/number', 'document_number_taken', `The supplier’s ${number} is recorded already.`)
  }
}

/** The name of the key that PostgreSQL's unique_violation tells of. */
function violatedKey(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505') return undefined
  return 'constraint' in error ? String(error.constraint) : ''
}

function isOfExternalId(key: string): boolean {
  return key.endsWith('_external_id')
}
