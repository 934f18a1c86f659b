import Big from 'big.js'
import { boundaryFrom } from '#domain/billing-cycle.ts'
import { settle } from '#domain/invoice/balance.ts'
import { roundDecimal } from '#domain/money.ts'
import { sumOf as exactSumOf } from '#domain/pricing/decimal.ts'
import { applyDiscounts, applyDiscountsExactly, type Discount } from '#domain/pricing/discount.ts'
import type { Adapter, Vector } from '../adapter.ts'
import { anchorOf, begunBy, billingDayOf, intervalIn } from '../billing-day.ts'
import { decimal, fromCents, has, text, textOr, toCents, type Inputs } from '../calendar-inputs.ts'
import { inCents, lineOf, percentOf, sumOf, taxedAt, totalsOf } from '../taxed-lines.ts'

/** Discounts come before tax, credit notes and what was paid in advance after it. */
function waterfall({ inputs }: Vector) {
  if (has(inputs, 'invoice_total_cents')) return dueAfterCreditNote(inputs)
  if (has(inputs, 'fees_cents')) return spreadCoupon(inputs)
  return has(inputs, 'lines') ? lineAndInvoiceCoupons(inputs) : feesToDue(inputs)
}

function feesToDue(inputs: Inputs) {
  const lines = [inputs['fees']].flat().map((fee, index) => discountable(index, inCents(decimal(fee))))
  const tax = taxedAt(percentOf(inputs))
  const net = applyDiscounts(lines, documentDiscount(inputs['coupon'])).netMinor
  const totals = totalsOf(
    net.map((amountMinor) => ({ amountMinor, tax })),
    { rounding: 'document' },
  )
  const { dueMinor } = settle(totals.totalMinor, {
    creditNotesMinor: centsOr0(inputs['credit_note']),
    prepaidMinor: centsOr0(inputs['prepaid_credit']),
    balanceMinor: 0,
  })
  return {
    subtotal: fromCents(totals.netMinor),
    tax: fromCents(totals.taxMinor),
    total_with_tax: fromCents(totals.totalMinor),
    due: fromCents(dueMinor),
  }
}

/** Tax is taken from the exact shares, as this source does. */
function spreadCoupon(inputs: Inputs) {
  const fees = (inputs['fees_cents'] as unknown[]).map((fee) =>
    typeof fee === 'object' ? (fee as Inputs) : { amount: fee },
  )
  const lines = fees.map((fee, index) => discountable(index, decimal(fee['amount'])))
  const coupon = documentDiscount(fromCents(decimal(inputs['coupon_cents'] ?? 0)))
  const exact = applyDiscountsExactly(lines, coupon)
  const net = applyDiscounts(lines, coupon).netMinor
  const taxable = fees.map((fee, index) => ({
    amountMinor: net[index] ?? 0,
    exactMinor: exact.netMinor[index] ?? new Big(0),
    tax: taxedAt(percentOf({ tax_percent: inputs['tax_percent'], ...fee })),
  }))
  const totals = totalsOf(taxable, { rounding: 'total' })
  return {
    coupon_shares_cents:
      exact.applied[0]?.sharesMinor.map((share) => roundDecimal(share, 5)) ?? fees.map(() => 0),
    fee_taxes_cents: totalsOf(taxable).lines.map((line) => line.taxMinor),
    tax_cents: totals.taxMinor,
    subtotal_ex_tax_cents: totals.netMinor,
    total_cents: totals.totalMinor,
  }
}

function dueAfterCreditNote(inputs: Inputs) {
  const creditNotesMinor = Number(inputs['credit_note_cents'] ?? 0)
  const { dueMinor } = settle(Number(inputs['invoice_total_cents']), { creditNotesMinor, balanceMinor: 0 })
  return { due_cents: dueMinor }
}

function lineAndInvoiceCoupons(inputs: Inputs) {
  const stated = inputs['lines'] as Inputs[]
  const lines = stated.map((line, index) => discountable(index, inCents(decimal(line['amount']))))
  const ofLines = stated.flatMap((line, index): Discount[] =>
    has(line, 'coupon_percent')
      ? [
          {
            id: `line ${index}`,
            scope: { kind: 'line', lineIds: [String(index)] },
            percent: decimal(line['coupon_percent']).toFixed(),
          },
        ]
      : [],
  )
  const { applied, netMinor } = applyDiscounts(lines, [
    ...ofLines,
    ...documentDiscount(inputs['invoice_coupon']),
  ])
  const ofLine = applied.filter(({ discountId }) => discountId !== 'document')
  const tax = taxedAt(percentOf(inputs))
  const totals = totalsOf(
    netMinor.map((amountMinor) => ({ amountMinor, tax })),
    { rounding: 'document' },
  )
  const prepaidMinor = centsOr0(inputs['wallet_credit'])
  return {
    subtotal: sumOf(stated.map((line) => decimal(line['amount']))),
    line_coupon: sumOf(ofLine.map(({ amountMinor }) => fromCents(amountMinor))),
    taxable: fromCents(totals.netMinor),
    tax: fromCents(totals.taxMinor),
    total: fromCents(settle(totals.totalMinor, { prepaidMinor, balanceMinor: 0 }).dueMinor),
  }
}

function discountable(index: number, cents: Big) {
  return { id: String(index), productId: null, amountMinor: lineOf(cents, taxedAt()).amountMinor }
}

function documentDiscount(amount: unknown): Discount[] {
  const amountMinor = centsOr0(amount)
  return amountMinor === 0 ? [] : [{ id: 'document', scope: { kind: 'document' }, amountMinor }]
}

function centsOr0(amount: unknown): number {
  return toCents(decimal(amount ?? 0))
}

/** Credit that an item gives is the customer's before the document uses it; its counterpart is the same money again. */
function balance({ inputs, expected }: Vector) {
  const accountCredit = centsOr0(inputs['account_credit'])
  if (has(inputs, 'invoices')) return accountBalance(inputs, accountCredit, Object.keys(expected))
  const items = itemsOf(inputs)
  const unknown = items.find(({ type }) => !itemTypes.includes(type))
  if (unknown) throw new Error(`no item is of the type ${unknown.type}`)
  const credited = -centsOf(items, (type) => type === 'CREDIT_ADJ')
  const used = -Math.min(
    0,
    centsOf(items, (type) => type === 'CBA_ADJ'),
  )
  const charges = centsOf(items, (type) => type !== 'CREDIT_ADJ' && type !== 'CBA_ADJ')
  const paid = centsOr0(inputs['paid']) - centsOr0(inputs['refunded']) + used
  if (inputs['status'] === 'DRAFT') return draftBalance(charges - credited, paid, accountCredit)
  const { dueMinor, balanceLeftMinor } = settle(charges - paid, { balanceMinor: accountCredit + credited })
  return {
    charged: fromCents(charges),
    balance: fromCents(dueMinor),
    cba_item: fromCents(balanceLeftMinor - accountCredit - used),
    account_credit: fromCents(balanceLeftMinor),
  }
}

/** What is charged, what adjusts it, and the two sides of the account's credit. */
const itemTypes =
  'RECURRING EXTERNAL_CHARGE FIXED USAGE TAX PARENT_SUMMARY ITEM_ADJ REPAIR_ADJ CREDIT_ADJ CBA_ADJ'.split(' ')

function draftBalance(chargedMinor: number, paidMinor: number, balanceMinor: number) {
  const { dueMinor, balanceLeftMinor } = settle(chargedMinor - paidMinor, { balanceMinor })
  return {
    charged: fromCents(chargedMinor),
    balance: 0,
    balance_while_draft: 0,
    balance_after_commit: fromCents(dueMinor),
    account_credit: fromCents(balanceLeftMinor),
  }
}

const nextPayment = 'next_payment_for_'

/** Invoices use the credit one after the other. What they leave open, less what they leave of it, is the account's. */
function accountBalance(inputs: Inputs, accountCredit: number, asked: readonly string[]) {
  let balanceMinor = accountCredit
  let openMinor = 0
  for (const invoice of inputs['invoices'] as unknown[]) {
    const { dueMinor, balanceLeftMinor } = settle(centsOr0(invoice), { balanceMinor })
    openMinor += dueMinor
    balanceMinor = balanceLeftMinor
  }
  const payments = asked
    .filter((key) => key.startsWith(nextPayment))
    .map((key) => {
      const totalMinor = centsOr0(key.slice(nextPayment.length).replace('_', '.'))
      return [key, fromCents(settle(totalMinor, { balanceMinor }).dueMinor)]
    })
  return { account_balance: fromCents(openMinor - balanceMinor), ...Object.fromEntries(payments) }
}

interface Item {
  readonly type: string
  readonly amount: Big
}

function itemsOf(inputs: Inputs): Item[] {
  return (inputs['items'] as unknown[]).map((item) =>
    typeof item === 'object' && item !== null
      ? { type: String((item as Inputs)['type']), amount: decimal((item as Inputs)['amount']) }
      : { type: '', amount: decimal(item) },
  )
}

function centsOf(items: readonly Item[], isMeant: (type: string) => boolean): number {
  return toCents(sumOf(items.filter(({ type }) => isMeant(type)).map(({ amount }) => amount)))
}

function total({ inputs }: Vector) {
  return { total: exactSumOf(itemsOf(inputs).map(({ amount }) => amount)) }
}

/** What falls on the date lies on one document: a charge does when one of its periods begins then. */
function grouping({ inputs }: Vector) {
  const stated = has(inputs, 'subscriptions')
    ? (inputs['subscriptions'] as unknown[])
    : [inputs['base'], inputs['addon']].filter((amount) => amount !== undefined && amount !== null)
  const charges = stated.map((of): Inputs =>
    typeof of === 'object' && of !== null ? (of as Inputs) : { amount: of },
  )
  if (charges.length === 0 && !has(inputs, 'subscriptions')) throw new Error('there is nothing to group')
  const starts = charges.flatMap((charge) => (has(charge, 'start') ? [text(charge, 'start')] : []))
  const common = { period: inputs['period'], ...commonBillingDay(inputs, starts) }
  const due = charges.filter((charge) => isDueOn({ ...common, ...charge }, text(inputs, 'target_date')))
  const amounts = due.map((charge) => decimal(charge['amount'] ?? charge['recurring'] ?? charge['price']))
  return { invoices: due.length === 0 ? 0 : 1, items: due.length, total: sumOf(amounts) }
}

/** All on one day of the month where that is said, or where they are aligned with the first of them. */
function commonBillingDay(inputs: Inputs, starts: readonly string[]) {
  const isAligned = inputs['alignment'] === 'ACCOUNT' || inputs['alignment'] === 'BUNDLE'
  const first = isAligned ? starts.toSorted()[0] : undefined
  return { bcd: billingDayOf(inputs) ?? (first && Temporal.PlainDate.from(first).day) }
}

function isDueOn(charge: Inputs, date: string): boolean {
  const on = charge['billed_on'] ?? charge['next_date'] ?? charge['date']
  if (typeof on === 'string') return on === date
  if (!has(charge, 'start') && billingDayOf(charge) === undefined) return true
  const start = textOr(charge, 'start', date)
  const interval = intervalIn(charge)
  const [first] = begunBy(date, start, anchorOf(charge, start, interval), interval)
  const isFirst = has(charge, 'start') && first?.period.start === date
  return (
    first !== undefined &&
    (isFirst || boundaryFrom(anchorOf(charge, start, interval), interval, date) === date)
  )
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'invoice.waterfall': waterfall,
  'invoice.balance': balance,
  'invoice.total': total,
  'invoice.grouping': grouping,
}
