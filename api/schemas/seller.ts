import { z } from '@hono/zod-openapi'
import { announcedFields } from '#domain/announcement.ts'
import type { ReviewRules } from '#domain/order-hold.ts'
import type { SellerSettings } from '#db/seller.ts'
import { termsRequired } from '#domain/service-terms.ts'
import { countryField, nameField, textField } from './common.ts'
import { paymentTermsField } from './payment-terms.ts'

const bankAccountField = z.strictObject({
  iban: z
    .string()
    .regex(
      /^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/,
      'An IBAN has a country, two digits and 10 to 30 letters and digits',
    )
    .refine(hasIbanCheckDigits, { error: 'The check digits of this IBAN do not fit the rest' }),
  bic: z.string().regex(/^[A-Z0-9]{8}([A-Z0-9]{3})?$/, 'A BIC has 8 or 11 letters and digits'),
  name: nameField,
})

/** The rest of ISO 7064, mod 97-10, is 1: nearly every mistyped IBAN is found, before customers pay to it. */
function hasIbanCheckDigits(iban: string): boolean {
  const digits = (iban.slice(4) + iban.slice(0, 4)).replaceAll(/[A-Z]/g, (letter) =>
    String(parseInt(letter, 36)),
  )
  return /^\d+$/.test(digits) && BigInt(digits) % 97n === 1n
}

const profileShape = {
  name: nameField,
  address: textField(1000),
  tax_id: nameField.nullable(),
  country: countryField.nullable().openapi({ description: 'Without it no tax is determined.' }),
  registration: nameField.nullable().openapi({ description: 'Entry in a trade register, as it is printed.' }),
  email: z.email().max(254).nullable(),
  bank_account: bankAccountField.nullable(),
}

const numberPatternField = z
  .strictObject({
    series: z.string().regex(/^[A-Z][A-Z0-9]{0,9}$/, 'A series has 1 to 10 capital letters and digits'),
    pattern: z.string().min(1).max(60),
  })
  .openapi({ description: 'Where the pattern has {year}, numbers begin anew each year.' })

const reviewRulesField = z
  .strictObject({
    amount_from_minor: z
      .int()
      .min(0)
      .nullable()
      .default(null)
      .openapi({ description: 'What is to be paid first comes to so much, with tax, or more.' }),
    countries: z.array(countryField).max(250).default([]),
    is_first_order: z.boolean().default(false),
    is_mail_unverified: z.boolean().default(false),
  })
  .openapi({ description: 'An order to which one of them applies is held until an operator accepts it.' })

const settingsShape = {
  payment_terms_days: z.int().min(0).max(366),
  payment_terms: paymentTermsField
    .nullable()
    .openapi({ description: 'In the place of the days, where something else is agreed.' }),
  prices_include_tax: z.boolean(),
  states_tax_in_own_currency: z.boolean().openapi({
    description:
      'Invoices in another currency state their tax in the seller’s as well, by the exchange rates.',
  }),
  tax_rounding: z.enum(['document', 'line']),
  tax_determination: z.enum(['table', 'service']).openapi({
    description:
      'Which tax is charged: by the tax rates, or by what the tax service of the installation answers. What it has not answered is not billed.',
  }),
  recurrence_starts: z
    .enum(['confirmation', 'first_invoice', 'activation'])
    .openapi({ description: 'From when on what recurs is charged.' }),
  invoice_sections: z
    .enum(['none', 'subscription', 'purchase_order'])
    .openapi({ description: 'Below which headings the lines of documents stand.' }),
  draft_days: z.int().min(0).max(30).openapi({ description: 'Days that a document stays open for review.' }),
  announced_fields: z
    .array(z.enum(announcedFields))
    .max(announcedFields.length)
    .openapi({ description: 'What of a line customers are told of when it changes.' }),
  skips_zero_invoices: z.boolean().openapi({
    description: 'An invoice of which every line is 0.00 is not made; what it would hold counts as billed.',
  }),
  advance_days: z.int().min(0).max(60).openapi({
    description:
      'Days before a period that what is paid in advance for it is invoiced. The first period of a document is invoiced when it begins.',
  }),
  reservation_minutes: z
    .int()
    .min(1)
    .max(10_080)
    .openapi({ description: 'Minutes that the shop holds the names of an order which is open.' }),
  terms_required: z
    .enum(termsRequired)
    .openapi({ description: 'Whose orders have to accept the terms of service.' }),
  number_patterns: z.strictObject({ invoice: numberPatternField, credit_note: numberPatternField }),
  unpaid_order_days: z
    .int()
    .min(1)
    .max(366)
    .openapi({ description: 'Days that an order waits for its payment, then it expires.' }),
  unbuilt_payments: z
    .enum(['balance', 'refund'])
    .openapi({ description: 'What becomes of money that came in for what was never built.' }),
  mail_verification: z.enum(['never', 'shop', 'always']).openapi({
    description: 'For which orders the mail address of the customer is verified before the build.',
  }),
  review_rules: reviewRulesField,
  backup_retention_days: z
    .int()
    .min(1)
    .max(3660)
    .openapi({ description: 'Days that the last backup of an instance is kept once it was removed.' }),
  readings_raw_days: z.int().min(7).max(3650).openapi({
    description:
      'Days that readings are kept as they were read; after that they lie by hours, which hold them all. What was rolled up stays so.',
  }),
  readings_hourly_months: z.int().min(4).max(120).openapi({
    description:
      'Months that the hours are kept, and longer where something may still be measured from them. What was billed stays with its invoices.',
  }),
  usage_late_days: z.int().min(1).max(100).openapi({
    description: 'Days that a usage event may come late; one that is older is usage_event_too_late.',
  }),
  usage_early_seconds: z.int().min(0).max(3600).openapi({
    description:
      'Seconds that a usage event may be ahead of our clock; one further on is usage_event_in_future.',
  }),
}

export const sellerSchema = z
  .object({
    name: z.string(),
    address: z.string(),
    tax_id: z.string().nullable(),
    country: z.string().nullable(),
    registration: z.string().nullable(),
    email: z.string().nullable(),
    bank_account: z.object({ iban: z.string(), bic: z.string(), name: z.string() }).nullable(),
    currency: z.string(),
    time_zone: z.string(),
    ...settingsShape,
  })
  .openapi('Seller')

/** Currency and time zone stay: prices and periods are in them. */
export const sellerChangeSchema = z
  .strictObject({ ...profileShape, ...settingsShape })
  .partial()
  .openapi('SellerChange')

export function toSellerJson({ profile, ...settings }: SellerSettings): z.input<typeof sellerSchema> {
  return {
    name: profile.name,
    address: profile.address,
    tax_id: profile.taxId,
    country: profile.country ?? null,
    registration: profile.registration ?? null,
    email: profile.email ?? null,
    bank_account: profile.bankAccount ?? null,
    currency: settings.currency,
    time_zone: settings.timeZone,
    payment_terms_days: settings.paymentTermsDays,
    payment_terms: settings.paymentTerms,
    prices_include_tax: settings.pricesIncludeTax,
    states_tax_in_own_currency: settings.statesTaxInOwnCurrency,
    tax_rounding: settings.taxRounding,
    tax_determination: settings.taxDetermination,
    recurrence_starts: settings.recurrenceStarts,
    invoice_sections: profile.sections ?? 'none',
    draft_days: settings.draftDays,
    announced_fields: [...settings.announcedFields],
    advance_days: settings.advanceDays,
    skips_zero_invoices: settings.skipsZeroInvoices,
    reservation_minutes: settings.reservationMinutes,
    terms_required: settings.termsRequired,
    number_patterns: settings.numberPatterns,
    unpaid_order_days: settings.unpaidOrderDays,
    unbuilt_payments: settings.unbuiltPayments,
    mail_verification: settings.mailVerification,
    review_rules: toReviewRulesJson(settings.reviewRules),
    backup_retention_days: settings.backupRetentionDays,
    readings_raw_days: settings.readingsRawDays,
    readings_hourly_months: settings.readingsHourlyMonths,
    usage_late_days: settings.usageLateDays,
    usage_early_seconds: settings.usageEarlySeconds,
  }
}

/** What is left out stays; null removes. */
export function changeSeller(seller: SellerSettings, change: SellerChange): SellerSettings {
  const json = { ...toSellerJson(seller), ...withoutUndefined(change) }
  return {
    ...seller,
    profile: {
      name: json.name,
      address: json.address,
      taxId: json.tax_id,
      ...(json.country === null ? {} : { country: json.country }),
      ...(json.registration === null ? {} : { registration: json.registration }),
      ...(json.email === null ? {} : { email: json.email }),
      ...(json.invoice_sections === 'none' ? {} : { sections: json.invoice_sections }),
      ...(json.bank_account === null ? {} : { bankAccount: json.bank_account }),
    },
    paymentTermsDays: json.payment_terms_days,
    paymentTerms: json.payment_terms,
    pricesIncludeTax: json.prices_include_tax,
    statesTaxInOwnCurrency: json.states_tax_in_own_currency,
    taxRounding: json.tax_rounding,
    taxDetermination: json.tax_determination,
    recurrenceStarts: json.recurrence_starts,
    draftDays: json.draft_days,
    announcedFields: json.announced_fields,
    advanceDays: json.advance_days,
    skipsZeroInvoices: json.skips_zero_invoices,
    reservationMinutes: json.reservation_minutes,
    termsRequired: json.terms_required,
    numberPatterns: json.number_patterns,
    unpaidOrderDays: json.unpaid_order_days,
    unbuiltPayments: json.unbuilt_payments,
    mailVerification: json.mail_verification,
    reviewRules: toReviewRules(json.review_rules),
    backupRetentionDays: json.backup_retention_days,
    readingsRawDays: json.readings_raw_days,
    readingsHourlyMonths: json.readings_hourly_months,
    usageLateDays: json.usage_late_days,
    usageEarlySeconds: json.usage_early_seconds,
  }
}

function toReviewRulesJson(rules: ReviewRules): z.output<typeof reviewRulesField> {
  return {
    amount_from_minor: rules.amountFromMinor ?? null,
    countries: [...(rules.countries ?? [])],
    is_first_order: rules.isFirstOrder ?? false,
    is_mail_unverified: rules.isMailUnverified ?? false,
  }
}

/** What holds nothing is left out. */
function toReviewRules(json: z.input<typeof reviewRulesField>): ReviewRules {
  const { amount_from_minor: amountFromMinor, countries = [] } = json
  return {
    ...(amountFromMinor == null ? {} : { amountFromMinor }),
    ...(countries.length === 0 ? {} : { countries }),
    ...(json.is_first_order ? { isFirstOrder: true } : {}),
    ...(json.is_mail_unverified ? { isMailUnverified: true } : {}),
  }
}

type SellerChange = z.output<typeof sellerChangeSchema>

type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

function withoutUndefined<T extends object>(value: T): Given<T> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Given<T>
}
