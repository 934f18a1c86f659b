import { termsLeftOn } from '#domain/invoice/due.ts'
import { defaultTerms, type Terms } from '#domain/terms.ts'
import type { Tx } from './database.ts'
import type { LineRow } from './line-change.ts'
import { toCycling } from './subscription-documents.ts'

/**
 * What is left of a line's terms for whoever takes it over on a day: a trial, and instalments, are counted from the first day of the
 * whole life.
 */
export async function readTermsLeft(tx: Tx, line: LineRow, startsOn: string): Promise<Partial<Terms>> {
  const first = await tx
    .selectFrom('subscription_lines')
    .select((eb) => eb.fn.min('starts_on').as('starts_on'))
    .where('first_line_id', '=', line.first_line_id)
    .executeTakeFirstOrThrow()
  const document = await tx
    .selectFrom('subscription_documents')
    .selectAll()
    .where('id', '=', line.document_id)
    .executeTakeFirstOrThrow()
  const terms = { ...defaultTerms, ...line.terms }
  const firstStartsOn = first.starts_on ?? line.starts_on
  const { trialDays, periodCount } = termsLeftOn({ ...toCycling(document), terms, firstStartsOn }, startsOn)
  return { ...line.terms, trialDays, periodCount }
}
