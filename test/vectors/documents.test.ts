import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import type { Adapter } from './adapter.ts'
import { findDifference } from './compare.ts'
import { adapters as creditNotes } from './kinds/credit-note.ts'
import { adapters as invoices } from './kinds/invoice.ts'
import { adapters as money } from './kinds/money.ts'
import { adapters as parentSummaries } from './kinds/parent-summary.ts'
import { adapters as taxes } from './kinds/tax.ts'
import { adapters as usage } from './kinds/usage.ts'

const adapters: Readonly<Record<string, Adapter>> = {
  ...creditNotes,
  ...invoices,
  ...money,
  ...parentSummaries,
  ...taxes,
  ...usage,
}

/** Variants that the files of other engines have, with amounts of our own. */
// prettier-ignore
const examples: [kind: string, inputs: Record<string, unknown>, expected: Record<string, unknown>, policy?: string][] = [
  ['round.money', { value: '-0.025', digits: 2 }, { value: '-0.03' }, 'half up'],
  ['round.money', { value: '2.5', digits: 0 }, { value: '2' }, 'half even, each line'],
  ['round.money', { value: '1.5664', digits: 2, mode: 'nearest' }, { value: '1.57' }],
  ['round.money', { value: '-1.561', digits: 2, mode: 'up' }, { value: '-1.57' }],
  ['round.metric', { value: '125.4567', precision: -1 }, { value: '130' }],
  ['round.metric', { value: '123.4567', precision: 2 }, { value: '123.46' }],
  ['round.quantity', { unit_amount: '12.50', quantity: '4.2', digits: 0, round: 'up' }, { quantity: 5, amount: '62.50' }],
  ['tax.exclusive', { lines_cents: [10_000, 999], rate_percent: '21' }, { taxes_cents: [2100, 210], tax_cents: 2310, total_cents: 13_309 }],
  ['tax.inclusive', { amount: '12.00', rate_percent: '20' }, { net: '10', tax: '2', total: '12' }],
  ['tax.line_rounding', { lines: ['6.99', '6.99'], rate_percent: '20' }, { taxes: ['1.40', '1.40'], tax: '2.80', subtotal: '13.98', total: '16.78' }],
  ['tax.line_rounding', { amount: '4.84', rate_percent: '15' }, { unrounded: '0.726', tax: '0.73' }],
  ['tax.multiple', { amount: '10.10', rates_percent: ['5', '9.975'] }, { taxes: ['0.51', '1.01'], tax: '1.52', tax_on_total_rate: '1.51' }],
  ['tax.rounding_level', { unit_amount: '17.50', quantity: 4, rate: '0.07' }, { per_item_then_multiply: '4.92', on_line_total: '4.90' }],
  ['tax.rounding_level', { lines: ['6.99', '6.99', '6.99'], rate_percent: 20 }, { per_line: '1.40', tax_by_line: '4.20', tax_by_invoice: '4.19' }],
  ['tax.rounding_level', { fees_precise_cents: ['1.5', '1.4'], tax_percent: '10', wallet_cents: 2 }, { fees_cents: 3, tax_cents: 0, total_with_tax_cents: 3, prepaid_cents: 2, total_cents: 1, wallet_left_cents: 0 }],
  ['tax.reverse_charge', { lines_cents: [10_000, 5000] }, { tax_cents: 0, total_cents: 15_000 }],
  ['credit_note.partial', { invoice_ex_tax_cents: 1000, tax_percent: '20', credit_notes_ex_tax_cents: [333, 333, 334] }, { invoice_tax_cents: 200, taxes_cents: [67, 67, 66], totals_cents: [400, 400, 400] }],
  ['credit_note.terminate', { plan_cents: 3000, tax_percent: '20', start: '2024-03-01', terminated_on: '2024-03-10' }, { credit_ex_tax_cents: 2032, tax_cents: 406, total_cents: 2438, invoice_tax_cents: 600 }],
  ['credit_note.terminate', { amount_cents: 10_000, period: ['2024-03-01', '2024-04-01'], changed_on: '2024-03-16' }, { credit_cents: 5161 }],
  ['invoice.waterfall', { fees: '100', coupon: '10', tax_percent: '20', credit_note: '8', prepaid_credit: '50' }, { subtotal: '90', tax: '18', total_with_tax: '108', due: '50' }],
  ['invoice.waterfall', { fees: ['2', '3'], coupon: '10', tax_percent: '20' }, { subtotal: '0', tax: '0', due: '0' }],
  ['invoice.waterfall', { fees_cents: [{ amount: 100, tax_percent: 10 }, { amount: 100, tax_percent: 10 }, { amount: 100, tax_percent: 10 }], coupon_cents: 100 }, { coupon_shares_cents: ['33.33333', '33.33333', '33.33333'], fee_taxes_cents: [7, 7, 7], tax_cents: 20, subtotal_ex_tax_cents: 200, total_cents: 220 }],
  ['invoice.waterfall', { invoice_total_cents: 10_000, credit_note_cents: 2500 }, { due_cents: 7500 }],
  ['invoice.balance', { items: [{ type: 'EXTERNAL_CHARGE', amount: '100' }, { type: 'ITEM_ADJ', amount: '-10' }], paid: '100' }, { charged: '90', balance: '0', cba_item: '10', account_credit: '10' }],
  ['invoice.balance', { items: [{ type: 'CREDIT_ADJ', amount: '-20' }, { type: 'CBA_ADJ', amount: '20' }] }, { charged: '0', balance: '0', cba_item: '20', account_credit: '20' }],
  ['invoice.balance', { account_credit: '120', items: [{ type: 'RECURRING', amount: '100' }] }, { cba_item: '-100', balance: '0', account_credit: '20' }],
  ['invoice.balance', { account_credit: '1000', invoices: ['249.95'] }, { account_balance: '-750.05', 'next_payment_for_800': '49.95' }],
  ['invoice.grouping', { subscriptions: [{ amount: '24.95', bcd: 30 }, { amount: '17.95', bcd: 20 }], target_date: '2021-10-20' }, { invoices: 1, items: 1, total: '17.95' }],
  ['invoice.grouping', { subscriptions: [{ amount: '24.95', bcd: 31 }, { amount: '17.95', bcd: 30 }], target_date: '2021-11-30' }, { invoices: 1, items: 2, total: '42.90' }],
  ['invoice.parent_summary', { children: [{ invoice: '29.95' }, { invoice: '249.95' }] }, { parent_items: 2, parent_total: '279.90', status: 'DRAFT', parent_balance_while_draft: 0, child_balance_while_draft: 0 }],
  ['invoice.parent_summary', { child_recurring: '249.95', child_credit: '-49.95' }, { parent_item: '200', paid: '200' }],
  ['invoice.parent_summary', { parent_invoice_date: '2024-02-28' }, { commit_at: '2024-02-28T23:59:59.999Z' }],
  ['aggregate.weighted_sum', { segments: [{ value: 10, seconds: 864_000 }, { value: 20, seconds: 1_728_000 }], period_seconds: 2_592_000 }, { value: '16.6666666667' }],
  ['aggregate.sum', { values: [2, 3], multiplier: '10' }, { sum: 5, value: 50 }],
  ['aggregate.count', { events: [{ id: 'a' }, { id: 'b' }] }, { value: 2 }],
  ['aggregate.count_unique', { events: [{ user: 'ana' }, { user: 'bo' }, { user: 'ana' }] }, { value: 2 }],
  ['aggregate.latest', { events: [{ at: '10:05', value: 2 }, { at: '09:00', value: 3 }] }, { value: 2 }],
]

for (const [index, [kind, inputs, expected, policy]] of examples.entries()) {
  test(`${kind}, variant ${index + 1}: ${Object.keys(inputs).join(', ')}`, () => {
    const adapter = adapters[kind]
    assert.ok(adapter)
    const asked = { id: 'ours', kind, inputs, expected, ...(policy === undefined ? {} : { policy }) }
    assert.equal(findDifference(adapter(asked), expected, { tolerance: new Big(0), path: '' }), undefined)
  })
}
