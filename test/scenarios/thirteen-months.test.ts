import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
let clock: string
let subscription: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

const money = (value: unknown) => (value as { amount_minor: number }).amount_minor
const linesOf = (invoice: Json) => invoice['lines'] as Json[]

chapter('31 January: Config 2 is sold with a set-up fee, both on the first invoice', async () => {
  clock = await diary.createClock('2027-01-31T10:00:00Z')
  subscription = await diary.order([{ kit: 'odoo-config-2' }, { product: 'set-up' }], { clock })
  await diary.untilPhase(subscription, 'active')
  await diary.advance(clock, { to: '2027-01-31T12:00:00Z' })
  const [first] = await diary.invoices(subscription)
  assert.equal(money(first?.['total']), 3000)
  assert.deepEqual(
    linesOf(first ?? {}).map((line) => [line['product'], line['kind'], money(line['amount'])]),
    [
      ['flat-odoo', 'recurring', 1000],
      ['set-up', 'one_time', 2000],
    ],
  )
})

chapter(
  '13 months on: invoices on the last day of short months and on the 31st otherwise, numbered without a gap',
  async () => {
    await diary.advance(clock, { to: '2028-03-01T00:00:00Z' })
    const invoices = await diary.invoices(subscription)
    assert.deepEqual(
      invoices.map((invoice) => invoice['issued_on']),
      [
        '2027-01-31',
        '2027-02-28',
        '2027-03-31',
        '2027-04-30',
        '2027-05-31',
        '2027-06-30',
        '2027-07-31',
        '2027-08-31',
        '2027-09-30',
        '2027-10-31',
        '2027-11-30',
        '2027-12-31',
        '2028-01-31',
        '2028-02-29',
      ],
    )
    assert.deepEqual(
      invoices.map((invoice) => String(invoice['number']).split('-').at(-1)),
      invoices.map((_, index) => String(index + 1).padStart(5, '0')),
    )
    assert.deepEqual(
      invoices.slice(1).map((invoice) => money(invoice['total'])),
      Array.from({ length: 13 }, () => 1000),
    )
  },
)

chapter('the service periods follow each other without hole or overlap', async () => {
  const invoices = await diary.invoices(subscription)
  const periods = invoices.flatMap((invoice) =>
    linesOf(invoice)
      .filter((line) => line['kind'] === 'recurring')
      .map((line) => line['service_period'] as { start: string; end: string }),
  )
  assert.equal(periods[0]?.start, '2027-01-31')
  for (const [index, period] of periods.slice(1).entries()) assert.equal(period.start, periods[index]?.end)
  assert.equal(periods.at(-1)?.end, '2028-03-31')
})

chapter('a test clock touches no real number, and never goes back', async () => {
  const series = await installation.db.selectFrom('number_series').select('code').execute()
  assert.deepEqual(
    series.map((row) => row.code.startsWith('TEST')),
    [true],
  )
  const reply = await installation.call('POST', `/v1/test-clocks/${clock}/advance`, {
    to: '2027-01-01T00:00:00Z',
  })
  assert.equal(reply.body['code'], 'clock_backwards')
})
