import type { Command } from 'commander'
import { Option } from 'commander'
import type { Seller } from './answers.ts'
import { usageFailure } from './failure.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

/** Options of `set`, named as the API's fields are. */
interface Change {
  readonly name?: string
  readonly address?: string
  readonly taxId?: string
  readonly country?: string
  readonly registration?: string
  readonly email?: string
  readonly iban?: string
  readonly bic?: string
  readonly accountHolder?: string
  readonly paymentTermsDays?: string
  readonly draftDays?: string
  readonly unpaidOrderDays?: string
  readonly unbuiltPayments?: string
  readonly readingsRawDays?: string
  readonly readingsHourlyMonths?: string
  readonly usageLateDays?: string
  readonly usageEarlySeconds?: string
  readonly backupRetentionDays?: string
  readonly mailVerification?: string
  readonly advanceDays?: string
  readonly skipsZeroInvoices?: 'yes' | 'no'
  readonly reservationMinutes?: string
  readonly termsRequired?: string
  readonly pricesIncludeTax?: 'yes' | 'no'
  readonly statesTaxInOwnCurrency?: 'yes' | 'no'
  readonly taxRounding?: string
  readonly taxDetermination?: string
  readonly recurrenceStarts?: string
  readonly invoiceSections?: string
}

export function registerSeller(program: Command): void {
  const group = program
    .command('seller')
    .summary('show and change who sells')
    .description('Who sells, and how documents are made: taxes, payment terms, drafts, numbers.')
    .addHelpText(
      'before',
      `Examples
  npx clouder seller
  npx clouder seller set --country DE --tax-id DE123456789
  npx clouder seller set --prices-include-tax yes
`,
    )
  group
    .command('show')
    .description('show the settings (what the word alone does)')
    .action(withSession(async ({ api, out }) => show(out, await api.get<Seller>('/v1/seller'))))
  registerSet(group)
}

function registerSet(group: Command): void {
  group
    .command('set')
    .description('change settings; what is left out stays')
    .option('--name <name>', 'as it is printed')
    .option('--address <address>', 'as it is printed')
    .option('--tax-id <id>', 'as it is printed')
    .option('--country <country>', 'two letters; it decides the tax')
    .option('--registration <entry>', 'entry in a trade register')
    .option('--email <address>', 'as it is printed')
    .option('--iban <iban>', 'the account to pay to, with --bic and --account-holder')
    .option('--bic <bic>', 'of the bank of the account')
    .option('--account-holder <name>', 'as it is printed')
    .option('--payment-terms-days <days>', 'from issue to due date')
    .option('--draft-days <days>', 'days that documents stay open for review')
    .option('--unpaid-order-days <days>', 'days that an order waits for its payment')
    .option('--readings-raw-days <days>', 'days that readings are kept as they were read')
    .option('--readings-hourly-months <months>', 'months that hours of readings are kept')
    .option('--usage-late-days <days>', 'days that a usage event may come late')
    .option('--usage-early-seconds <seconds>', 'seconds that a usage event may be ahead of our clock')
    .option('--backup-retention-days <days>', 'days that the last backup of what was removed is kept')
    .addOption(
      new Option('--unbuilt-payments <place>', 'where money for what was never built goes').choices([
        'balance',
        'refund',
      ]),
    )
    .addOption(
      new Option('--mail-verification <orders>', 'which orders wait for a verified mail address').choices([
        'never',
        'shop',
        'always',
      ]),
    )
    .option('--advance-days <days>', 'days before a period that its invoice is made')
    .addOption(
      new Option('--terms-required <where>', 'whose orders accept the terms of service').choices([
        'shop',
        'everywhere',
      ]),
    )
    .option('--reservation-minutes <minutes>', 'how long the shop holds the names of an open order')
    .addOption(
      new Option('--prices-include-tax <answer>', 'whether prices hold the tax').choices(['yes', 'no']),
    )
    .addOption(
      new Option(
        '--states-tax-in-own-currency <answer>',
        'whether invoices in other currencies say the tax in yours as well',
      ).choices(['yes', 'no']),
    )
    .addOption(
      new Option('--skips-zero-invoices <answer>', 'whether invoices of 0.00 are left out').choices([
        'yes',
        'no',
      ]),
    )
    .addOption(
      new Option('--tax-determination <by>', 'which tax is charged: by your table or a service').choices([
        'table',
        'service',
      ]),
    )
    .addOption(new Option('--tax-rounding <level>', 'where tax is rounded').choices(['document', 'line']))
    .addOption(
      new Option('--recurrence-starts <moment>', 'from when on what recurs is charged').choices([
        'confirmation',
        'first_invoice',
        'activation',
      ]),
    )
    .addOption(
      new Option('--invoice-sections <kind>', 'headings above the lines of documents').choices([
        'none',
        'subscription',
        'purchase_order',
      ]),
    )
    .action(
      withSession<[], Change>(async ({ api, out }, { options }) => {
        const body = toBody(options)
        if (Object.values(body).every((value) => value === undefined))
          throw usageFailure('Nothing to set.', 'npx clouder seller set --help')
        show(out, await api.patch<Seller>('/v1/seller', body))
      }),
    )
}

/** What was not said is undefined, and so not sent. */
function toBody(change: Change): object {
  return {
    name: change.name,
    address: change.address,
    tax_id: change.taxId,
    country: change.country,
    registration: change.registration,
    email: change.email,
    bank_account: toBankAccount(change),
    payment_terms_days: toNumber(change.paymentTermsDays),
    draft_days: toNumber(change.draftDays),
    unpaid_order_days: toNumber(change.unpaidOrderDays),
    unbuilt_payments: change.unbuiltPayments,
    readings_raw_days: toNumber(change.readingsRawDays),
    readings_hourly_months: toNumber(change.readingsHourlyMonths),
    usage_late_days: toNumber(change.usageLateDays),
    usage_early_seconds: toNumber(change.usageEarlySeconds),
    backup_retention_days: toNumber(change.backupRetentionDays),
    mail_verification: change.mailVerification,
    advance_days: toNumber(change.advanceDays),
    skips_zero_invoices: change.skipsZeroInvoices && change.skipsZeroInvoices === 'yes',
    invoice_sections: change.invoiceSections,
    reservation_minutes: toNumber(change.reservationMinutes),
    terms_required: change.termsRequired,
    prices_include_tax: change.pricesIncludeTax && change.pricesIncludeTax === 'yes',
    states_tax_in_own_currency: change.statesTaxInOwnCurrency && change.statesTaxInOwnCurrency === 'yes',
    tax_rounding: change.taxRounding,
    tax_determination: change.taxDetermination,
    recurrence_starts: change.recurrenceStarts,
  }
}

/** An account is told whole: half of the old one with half of the new one would be nobody's. */
function toBankAccount({ iban, bic, accountHolder }: Change): object | undefined {
  if (iban === undefined && bic === undefined && accountHolder === undefined) return undefined
  if (iban === undefined || bic === undefined || accountHolder === undefined) {
    throw usageFailure(
      'An account has an IBAN, a BIC and a holder.',
      'give --iban, --bic and --account-holder together',
    )
  }
  return { iban: iban.replaceAll(/\s/g, ''), bic, name: accountHolder }
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function show(out: Output, seller: Seller): void {
  if (out.isJson) return out.json(seller)
  const { invoice, credit_note: creditNote } = seller.number_patterns
  out.facts([
    ['name', seller.name],
    ['address', seller.address],
    ['country', seller.country],
    ['tax id', seller.tax_id],
    ['registration', seller.registration],
    ['e-mail', seller.email],
    ['bank account', sayAccount(seller)],
    ['currency', seller.currency],
    ['time zone', seller.time_zone],
    ['prices', seller.prices_include_tax ? 'include tax' : 'without tax'],
    ['tax', seller.tax_determination === 'service' ? 'by the tax service' : 'by the tax rates'],
    ['tax rounding', `once a ${seller.tax_rounding === 'line' ? 'line' : 'rate and document'}`],
    ...(seller.states_tax_in_own_currency ? [['tax', `also in ${seller.currency}`] as const] : []),
    ['recurrence starts', seller.recurrence_starts.replace('_', ' ')],
    ['payment terms', sayTerms(seller)],
    ['terms of service', seller.terms_required === 'shop' ? 'accepted in the shop' : 'accepted everywhere'],
    ['names in the shop', `held for ${seller.reservation_minutes} minutes`],
    ['unpaid orders', `expire after ${seller.unpaid_order_days} days`],
    [
      'money of what was never built',
      seller.unbuilt_payments === 'refund' ? 'is refunded' : 'stays as balance',
    ],
    ['mail address verified for', seller.mail_verification],
    ['held for review', sayRules(seller)],
    [
      'readings',
      `raw for ${seller.readings_raw_days} days, hours for ${seller.readings_hourly_months} months`,
    ],
    [
      'usage events',
      `taken for ${seller.usage_late_days} days, and ${seller.usage_early_seconds} s ahead of time`,
    ],
    ['last backups', `kept for ${seller.backup_retention_days} days`],
    ['drafts', seller.draft_days === 0 ? 'finalized at once' : `open for ${seller.draft_days} days`],
    [
      'made',
      seller.advance_days === 0 ? 'as its period begins' : `${seller.advance_days} days before its period`,
    ],
    ['invoices of 0.00', seller.skips_zero_invoices ? 'are not made' : 'are made, and paid at once'],
    ['invoice numbers', `${invoice.pattern}, series ${invoice.series}`],
    ['credit note numbers', `${creditNote.pattern}, series ${creditNote.series}`],
  ])
}

function sayRules({ review_rules: rules }: Seller): string {
  return [
    ...(rules.amount_from_minor === null ? [] : [`from ${rules.amount_from_minor} in minor units`]),
    ...(rules.countries.length === 0 ? [] : [rules.countries.join(' ')]),
    ...(rules.is_first_order ? ['first orders'] : []),
    ...(rules.is_mail_unverified ? ['mail not verified'] : []),
  ].join(', ')
}

function sayAccount({ bank_account: account }: Seller): string | null {
  return account && `${account.iban}, ${account.bic}, ${account.name}`
}

function sayTerms({ payment_terms: terms, payment_terms_days: days }: Seller): string {
  if (terms === null) return `${days} days`
  if (terms.kind !== 'instalments') return sayRule(terms)
  return terms.parts.map(({ percent, due }) => `${percent} %: ${sayRule(due)}`).join('; ')
}

function sayRule(rule: DueRule): string {
  const words = {
    days: '',
    end_of_month: ', end of month',
    fixed_day: `, day ${'day' in rule ? rule.day : ''}`,
  }
  return `${rule.days} days${words[rule.kind]}`
}

type DueRule = Exclude<NonNullable<Seller['payment_terms']>, { kind: 'instalments' }>
