import { BusinessError } from '#domain/errors.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'

export interface NewTaxRate {
  readonly country: string
  readonly region: string | null
  readonly category: string
  readonly name: string
  readonly ratePercent: string
  readonly startsOn: string | null
  readonly endsOn: string | null
}

/** @throws `tax_rate_overlaps` */
export async function insertTaxRate(db: Db, rate: NewTaxRate): Promise<string> {
  const id = newId()
  await refuseOverlap(async () =>
    db
      .insertInto('tax_rates')
      .values({
        id,
        country: rate.country,
        region: rate.region,
        category: rate.category,
        name: rate.name,
        rate_percent: rate.ratePercent,
        valid_in: rangeOf(rate),
      })
      .execute(),
  )
  return id
}

/** Documents that were made before keep the rate that they were made with. @throws `tax_rate_overlaps` */
export async function endTaxRate(
  db: Db,
  rate: { id: string; startsOn: string | null; endsOn: string | null },
): Promise<void> {
  await refuseOverlap(async () =>
    db
      .updateTable('tax_rates')
      .set({ valid_in: rangeOf(rate) })
      .where('id', '=', rate.id)
      .execute(),
  )
}

function rangeOf({ startsOn, endsOn }: { startsOn: string | null; endsOn: string | null }): string {
  return `[${startsOn ?? ''},${endsOn ?? ''})`
}

/** The database decides, so that of two at once one wins. */
async function refuseOverlap(write: () => Promise<unknown>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!isExclusionViolation(error)) throw error
    const detail = 'There is a rate of this country, region, category and name in these days already.'
    throw new BusinessError('tax_rate_overlaps', detail, { cause: error })
  }
}

/** PostgreSQL's exclusion_violation. */
function isExclusionViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23P01'
}
