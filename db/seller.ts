import type { AnnouncedField } from '#domain/announcement.ts'
import type { MailVerification, ReviewRules } from '#domain/order-hold.ts'
import { dateIn } from '#domain/calendar.ts'
import type { PaymentTerms } from '#domain/payment-terms.ts'
import type { TermsRequired } from '#domain/service-terms.ts'
import type { Db, Tx } from './database.ts'
import type { NumberPatterns, Seller } from './tables/installation.ts'

/** Who sells, and how documents are made unless something else was agreed. */
export interface SellerSettings {
  readonly profile: Seller
  readonly currency: string
  readonly timeZone: string
  readonly paymentTermsDays: number
  /** In the place of the days, where something else is agreed. */
  readonly paymentTerms: PaymentTerms | null
  readonly pricesIncludeTax: boolean
  readonly statesTaxInOwnCurrency: boolean
  readonly taxRounding: 'document' | 'line'
  /** Which tax is charged: by the table of rates, or by what an outside service answers. */
  readonly taxDetermination: 'table' | 'service'
  readonly recurrenceStarts: 'confirmation' | 'first_invoice' | 'activation'
  /** Days that a document stays a draft for review. */
  readonly draftDays: number
  /** What of a line customers are told of when it changes. */
  readonly announcedFields: readonly AnnouncedField[]
  /** Days before its period that what is paid in advance is invoiced. */
  readonly advanceDays: number
  /** Invoices of which every line is 0.00 are not made. */
  readonly skipsZeroInvoices: boolean
  /** Minutes that the shop holds the names of an order which is open. */
  readonly reservationMinutes: number
  /** Whose orders have to accept the terms of service. */
  readonly termsRequired: TermsRequired
  readonly numberPatterns: NumberPatterns
  /** Days that an order waits for its payment. */
  readonly unpaidOrderDays: number
  /** What becomes of money that came in for what was never built. */
  readonly unbuiltPayments: 'balance' | 'refund'
  readonly mailVerification: MailVerification
  readonly reviewRules: ReviewRules
  /** Days that the last backup of an instance is kept. */
  readonly backupRetentionDays: number
  /** Days that readings are kept raw before they are rolled up. */
  readonly readingsRawDays: number
  /** Months that the hours of readings are kept, where nothing needs them longer. */
  readonly readingsHourlyMonths: number
  /** Days that a usage event may come late. */
  readonly usageLateDays: number
  /** Seconds that a usage event may lie ahead of our clock. */
  readonly usageEarlySeconds: number
}

export async function readSeller(db: Db): Promise<SellerSettings> {
  const row = await db
    .selectFrom('installation')
    .innerJoin('reading_store', (join) => join.onTrue())
    .selectAll('installation')
    .select(['reading_store.raw_days', 'reading_store.hourly_months'])
    .executeTakeFirstOrThrow()
  return {
    profile: row.seller,
    currency: row.currency,
    timeZone: row.time_zone,
    paymentTermsDays: row.payment_terms_days,
    paymentTerms: row.payment_terms,
    pricesIncludeTax: row.prices_include_tax,
    statesTaxInOwnCurrency: row.states_tax_in_own_currency,
    taxRounding: row.tax_rounding,
    taxDetermination: row.tax_determination,
    recurrenceStarts: row.recurrence_starts,
    draftDays: row.draft_days,
    announcedFields: row.announced_fields,
    advanceDays: row.advance_days,
    skipsZeroInvoices: row.skips_zero_invoices,
    reservationMinutes: row.reservation_minutes,
    termsRequired: row.terms_required,
    numberPatterns: row.number_patterns,
    unpaidOrderDays: row.unpaid_order_days,
    unbuiltPayments: row.unbuilt_payments,
    mailVerification: row.mail_verification,
    reviewRules: row.review_rules,
    backupRetentionDays: row.backup_retention_days,
    readingsRawDays: row.raw_days,
    readingsHourlyMonths: row.hourly_months,
    usageLateDays: row.usage_late_days,
    usageEarlySeconds: row.usage_early_seconds,
  }
}

/** The seller's calendar day: the catalog is shown as it is sold on it, and a change at once holds from it. */
export async function readSellerToday(db: Db, now: string): Promise<string> {
  const row = await db.selectFrom('installation').select('time_zone').executeTakeFirstOrThrow()
  return dateIn(row.time_zone, now)
}

/** Held until the caller's transaction ends: of two changes of the profile at once, the second knows the first. */
export async function lockSeller(tx: Tx): Promise<SellerSettings> {
  await tx.selectFrom('installation').select('id').forNoKeyUpdate().execute()
  return await readSeller(tx)
}

/**
 * It holds for documents that are made from now on; finalized ones keep what they were made with. A document knows how
 * early its invoices are made, so that what is due is found without looking here.
 */
export async function updateSeller(tx: Tx, settings: SellerSettings): Promise<void> {
  await changeAdvanceDays(tx, settings.advanceDays)
  await changeReadingStore(tx, settings)
  await tx
    .updateTable('installation')
    .set({
      seller: JSON.stringify(settings.profile),
      payment_terms_days: settings.paymentTermsDays,
      payment_terms: settings.paymentTerms && JSON.stringify(settings.paymentTerms),
      prices_include_tax: settings.pricesIncludeTax,
      states_tax_in_own_currency: settings.statesTaxInOwnCurrency,
      tax_rounding: settings.taxRounding,
      tax_determination: settings.taxDetermination,
      recurrence_starts: settings.recurrenceStarts,
      draft_days: settings.draftDays,
      announced_fields: settings.announcedFields,
      advance_days: settings.advanceDays,
      skips_zero_invoices: settings.skipsZeroInvoices,
      reservation_minutes: settings.reservationMinutes,
      terms_required: settings.termsRequired,
      number_patterns: JSON.stringify(settings.numberPatterns),
      unpaid_order_days: settings.unpaidOrderDays,
      unbuilt_payments: settings.unbuiltPayments,
      mail_verification: settings.mailVerification,
      review_rules: JSON.stringify(settings.reviewRules),
      backup_retention_days: settings.backupRetentionDays,
      usage_late_days: settings.usageLateDays,
      usage_early_seconds: settings.usageEarlySeconds,
    })
    .execute()
}

/** Documents are locked in the order in which bills lock them. */
async function changeAdvanceDays(tx: Tx, advanceDays: number): Promise<void> {
  const documents = await tx
    .selectFrom('subscription_documents')
    .select('id')
    .where('advance_days', '<>', advanceDays)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  if (documents.length === 0) return
  await tx
    .updateTable('subscription_documents')
    .set({ advance_days: advanceDays })
    .where('advance_days', '<>', advanceDays)
    .execute()
}

/** The row is held while a day of readings is rolled up: who changes nothing of it does not wait. */
async function changeReadingStore(
  tx: Tx,
  { readingsRawDays, readingsHourlyMonths }: SellerSettings,
): Promise<void> {
  await tx
    .updateTable('reading_store')
    .set({ raw_days: readingsRawDays, hourly_months: readingsHourlyMonths })
    .where((of) =>
      of.or([of('raw_days', '<>', readingsRawDays), of('hourly_months', '<>', readingsHourlyMonths)]),
    )
    .execute()
}
