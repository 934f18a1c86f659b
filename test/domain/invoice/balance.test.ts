import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { moneyState, openMinor, settle, type InvoiceMoney, type MoneyState } from '#domain/invoice/balance.ts'

test('E-28 108.00 with prepaid credit of 50.00 and a balance of 8.00 leaves 50.00 to pay', () => {
  const settlement = settle(10_800, { prepaidMinor: 5000, balanceMinor: 800 })
  assert.deepEqual(
    [settlement.prepaidUsedMinor, settlement.balanceUsedMinor, settlement.dueMinor],
    [5000, 800, 5000],
  )
})

test('E-28 credit notes come before prepaid credit, and prepaid credit before the balance', () => {
  assert.deepEqual(settle(1000, { creditNotesMinor: 400, prepaidMinor: 700, balanceMinor: 500 }), {
    creditNotesUsedMinor: 400,
    prepaidUsedMinor: 600,
    prepaidLeftMinor: 100,
    balanceUsedMinor: 0,
    balanceLeftMinor: 500,
    dueMinor: 0,
  })
})

test('E-27 a balance of 12.00 pays an invoice of 10.00, and 2.00 are left', () => {
  const settlement = settle(1000, { balanceMinor: 1200 })
  assert.deepEqual([settlement.dueMinor, settlement.balanceLeftMinor], [0, 200])
})

test('E-25 a credit note of 20.00 becomes balance, and the next invoice of 25.00 has 5.00 to pay', () => {
  const { balanceLeftMinor, dueMinor } = settle(-2000, { balanceMinor: 0 })
  assert.deepEqual([dueMinor, balanceLeftMinor], [0, 2000])
  assert.equal(settle(2500, { balanceMinor: balanceLeftMinor }).dueMinor, 500)
})

test('E-27 no balance, prepaid credit or amount to pay is ever below 0, and nothing is lost', () => {
  const minor = fc.integer({ min: 0, max: 10 ** 9 })
  fc.assert(
    fc.property(
      fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
      minor,
      minor,
      minor,
      (total, notes, prepaid, balance) => {
        const done = settle(total, { creditNotesMinor: notes, prepaidMinor: prepaid, balanceMinor: balance })
        assert.ok(done.balanceLeftMinor >= 0 && done.prepaidLeftMinor >= 0 && done.dueMinor >= 0)
        assert.equal(
          done.creditNotesUsedMinor + done.prepaidUsedMinor + done.balanceUsedMinor + done.dueMinor,
          total,
        )
        assert.equal(done.balanceLeftMinor + done.balanceUsedMinor, balance)
      },
    ),
    { numRuns: 2000 },
  )
})

const invoice: InvoiceMoney = {
  totalMinor: 1000,
  dueOn: '2026-03-15',
  instalments: null,
  creditNotesMinor: 0,
  paidMinor: 0,
  isVoid: false,
  isUncollectible: false,
}
const states: [what: string, money: Partial<InvoiceMoney>, on: string, state: MoneyState][] = [
  ['nothing paid on the due date', {}, '2026-03-15', 'open'],
  ['nothing paid the day after', {}, '2026-03-16', 'overdue'],
  ['a part paid', { paidMinor: 400 }, '2026-03-10', 'partly_paid'],
  ['a part paid, the due date passed', { paidMinor: 400 }, '2026-03-16', 'overdue'],
  ['all paid', { paidMinor: 1000 }, '2026-04-01', 'paid'],
  ['a part credited', { creditNotesMinor: 400 }, '2026-03-10', 'partly_paid'],
  ['paid and credited together', { creditNotesMinor: 400, paidMinor: 600 }, '2026-04-01', 'paid'],
  ['all credited', { creditNotesMinor: 1000 }, '2026-03-10', 'credited'],
  ['a total of 0', { totalMinor: 0 }, '2026-03-10', 'paid'],
  ['written off', { isUncollectible: true }, '2026-04-01', 'uncollectible'],
  ['written off, then paid', { isUncollectible: true, paidMinor: 1000 }, '2026-04-01', 'paid'],
  ['void', { isVoid: true, creditNotesMinor: 1000 }, '2026-04-01', 'void'],
]
for (const [what, money, on, state] of states) {
  test(`E-01 an invoice is ${state}: ${what}`, () => {
    assert.equal(moneyState({ ...invoice, ...money }, on), state)
  })
}

const halves = [
  { dueOn: '2026-03-15', amountMinor: 500 },
  { dueOn: '2026-04-15', amountMinor: 500 },
]
const byInstalments: [what: string, money: Partial<InvoiceMoney>, on: string, state: MoneyState][] = [
  ['nothing paid on the first day', {}, '2026-03-15', 'open'],
  ['nothing paid after the first day', {}, '2026-03-16', 'overdue'],
  ['a part of the first paid', { paidMinor: 499 }, '2026-03-16', 'overdue'],
  ['the first paid', { paidMinor: 500 }, '2026-04-15', 'partly_paid'],
  ['the first paid and credited', { paidMinor: 300, creditNotesMinor: 200 }, '2026-04-15', 'partly_paid'],
  ['the second not paid in time', { paidMinor: 500 }, '2026-04-16', 'overdue'],
  ['all paid', { paidMinor: 1000 }, '2026-05-01', 'paid'],
]
for (const [what, money, on, state] of byInstalments) {
  test(`E-29 an invoice of two instalments is ${state}: ${what}`, () => {
    assert.equal(moneyState({ ...invoice, dueOn: '2026-04-15', instalments: halves, ...money }, on), state)
  })
}

test('what is left to pay is never below 0', () => {
  assert.equal(openMinor({ ...invoice, paidMinor: 400, creditNotesMinor: 100 }), 500)
  assert.equal(openMinor({ ...invoice, paidMinor: 1400 }), 0)
})
