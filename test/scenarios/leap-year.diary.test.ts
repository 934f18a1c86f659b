import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { startInstallation, type Json, type TestInstallation } from '#test/support/installation.ts'

/*
 * The books of two customers over the leap year 2028, on one test clock, through the public API only. The bakery has Config 1:
 * 5 users and 5 e-mail accounts at 1.00 a month each, paid in advance, network and disk at 1.00 per GiB in arrears. The clinic
 * has Config 2 for 10.00 a month. Each expected line says what it is for, its days, and its amount.
 */
let installation: TestInstallation
let diary: Diary
let clock: string
let bakery: string
let clinic: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

const money = (value: unknown) => ((value as { amount_minor: number }).amount_minor / 100).toFixed(2)

/** A document as a bookkeeper reads it. What the bakery's own container used is too little to cost a cent, and left out. */
function read(invoice: Json | undefined): string[] {
  const lines = ((invoice?.['lines'] ?? []) as Json[]).filter(
    (line) => line['kind'] !== 'usage' || money(line['amount']) !== '0.00',
  )
  return [
    `${String(invoice?.['issued_on'])} ${String(invoice?.['kind'])} ${money(invoice?.['total'])}`,
    ...lines.map((line) => {
      const days = line['service_period'] as { start: string; end: string } | null
      return `${String(line['product'])} ${String(line['kind'])} ${days?.start} to ${days?.end}: ${money(line['amount'])}`
    }),
  ]
}

async function invoiceOf(subscription: string, day: string): Promise<Json> {
  const invoice = (await diary.invoices(subscription)).find((candidate) => candidate['issued_on'] === day)
  assert.ok(invoice, `nothing was issued on ${day}`)
  return invoice
}

async function lineId(subscription: string, product: string): Promise<string> {
  const { lines } = (await diary.subscription(subscription)) as { lines: Json[] }
  const line = lines.findLast(
    (candidate) => candidate['product'] === product && candidate['ends_on'] === null,
  )
  return String(line?.['id'])
}

async function use(id: string, quantity: string, at: string): Promise<void> {
  await diary.pushUsage({ id, subscription: bakery, metric: 'network', quantity, unit: 'GiB', at })
}

chapter(
  '31 December: the bakery gets Config 1, the clinic Config 2, and both pay a month in advance',
  async () => {
    clock = await diary.createClock('2027-12-31T09:00:00Z')
    bakery = await diary.order([{ kit: 'odoo-config-1' }], { clock })
    clinic = await diary.order([{ kit: 'odoo-config-2' }], { customer: 'north-clinic', clock })
    await diary.untilPhase(bakery, 'active')
    await diary.untilPhase(clinic, 'active')
    await diary.advance(clock, { to: '2027-12-31T10:00:00Z' })
    assert.deepEqual(read(await invoiceOf(bakery, '2027-12-31')), [
      '2027-12-31 invoice 10.00',
      'odoo-user recurring 2027-12-31 to 2028-01-31: 5.00',
      'email recurring 2027-12-31 to 2028-01-31: 5.00',
    ])
    assert.deepEqual(read(await invoiceOf(clinic, '2027-12-31')), [
      '2027-12-31 invoice 10.00',
      'flat-odoo recurring 2027-12-31 to 2028-01-31: 10.00',
    ])
  },
)

chapter('January: 3.5 GiB are used, and billed on the 31st with February in advance: 13.50', async () => {
  await diary.advance(clock, { to: '2028-01-20T12:00:00Z' })
  await use('january', '3.5', '2028-01-20T11:00:00Z')
  await diary.advance(clock, { to: '2028-02-10T12:00:00Z' })
  assert.deepEqual(read(await invoiceOf(bakery, '2028-01-31')), [
    '2028-01-31 invoice 13.50',
    'odoo-user recurring 2028-01-31 to 2028-02-29: 5.00',
    'network-usage usage 2027-12-31 to 2028-01-31: 3.50',
    'email recurring 2028-01-31 to 2028-02-29: 5.00',
  ])
})

chapter('10 February: 12 users instead of 5 for 19 of the 29 days of the leap February', async () => {
  const line = await lineId(bakery, 'odoo-user')
  await diary.post(`/v1/subscriptions/${bakery}/change-plan`, { line, quantity: '12' })
  await diary.advance(clock, { to: '2028-03-05T12:00:00Z' })
  // 5.00 × 19 / 29 = 3.28 comes back, 12.00 × 19 / 29 = 7.86 is charged.
  assert.deepEqual(read(await invoiceOf(bakery, '2028-02-29')), [
    '2028-02-29 invoice 21.58',
    'odoo-user credit 2028-02-10 to 2028-02-29: -3.28',
    'odoo-user recurring 2028-02-10 to 2028-02-29: 7.86',
    'odoo-user recurring 2028-02-29 to 2028-03-31: 12.00',
    'email recurring 2028-02-29 to 2028-03-31: 5.00',
  ])
  assert.deepEqual(read(await invoiceOf(clinic, '2028-02-29')), [
    '2028-02-29 invoice 10.00',
    'flat-odoo recurring 2028-02-29 to 2028-03-31: 10.00',
  ])
})

chapter('5 March: 2 GiB of 20 February come to light, and the next invoice bills them as late', async () => {
  await use('late', '2', '2028-02-20T08:00:00Z')
  await diary.advance(clock, { to: '2028-04-20T12:00:00Z' })
  assert.deepEqual(read(await invoiceOf(bakery, '2028-03-31')), [
    '2028-03-31 invoice 19.00',
    'odoo-user recurring 2028-03-31 to 2028-04-30: 12.00',
    'email recurring 2028-03-31 to 2028-04-30: 5.00',
    'network-usage late_usage 2028-01-31 to 2028-02-29: 2.00',
  ])
})

chapter('20 April: all prices of both go up by 10 percent from 30 April on', async () => {
  const revision = { starts_on: '2028-04-30', percent: '10', subscriptions: [bakery, clinic] }
  const { status, body } = await installation.call('POST', '/v1/price-revisions', revision)
  assert.ok(status === 200 || status === 201, JSON.stringify(body))
  await diary.advance(clock, { to: '2028-05-05T12:00:00Z' })
  assert.deepEqual(read(await invoiceOf(bakery, '2028-04-30')), [
    '2028-04-30 invoice 18.70',
    'odoo-user recurring 2028-04-30 to 2028-05-31: 13.20',
    'email recurring 2028-04-30 to 2028-05-31: 5.50',
  ])
  assert.deepEqual(read(await invoiceOf(clinic, '2028-04-30')), [
    '2028-04-30 invoice 11.00',
    'flat-odoo recurring 2028-04-30 to 2028-05-31: 11.00',
  ])
})

chapter('10 to 20 May: the bakery is on holiday; ten of 31 days are not paid for', async () => {
  await diary.post(`/v1/subscriptions/${bakery}/pause`, { starts_on: '2028-05-10', ends_on: '2028-05-20' })
  await diary.advance(clock, { to: '2028-05-12T12:00:00Z' })
  assert.equal((await diary.subscription(bakery))['phase'], 'suspended')
  await diary.advance(clock, { to: '2028-06-05T12:00:00Z' })
  assert.equal((await diary.subscription(bakery))['phase'], 'active')
  // Of 13.20: 21 of 31 days back, 11 of 31 charged again. Of 5.50 the same.
  assert.deepEqual(read(await invoiceOf(bakery, '2028-05-31')).toSorted(), [
    '2028-05-31 invoice 12.66',
    'email credit 2028-05-10 to 2028-05-31: -3.73',
    'email recurring 2028-05-20 to 2028-05-31: 1.95',
    'email recurring 2028-05-31 to 2028-06-30: 5.50',
    'odoo-user credit 2028-05-10 to 2028-05-31: -8.94',
    'odoo-user recurring 2028-05-20 to 2028-05-31: 4.68',
    'odoo-user recurring 2028-05-31 to 2028-06-30: 13.20',
  ])
})

chapter(
  '5 June: mail failed for a while; 3.00 of it are credited, and no more than the line has',
  async () => {
    const invoice = await invoiceOf(bakery, '2028-05-31')
    const line = (invoice['lines'] as Json[]).find(
      ({ product, kind, service_period: days }) =>
        product === 'email' && kind === 'recurring' && (days as { start: string }).start === '2028-05-31',
    )
    const credit = async (amount_minor: number) =>
      await installation.call('POST', `/v1/invoices/${String(invoice['id'])}/credit-notes`, {
        lines: [{ line: line?.['id'], amount_minor }],
        reason: 'mail was down',
      })
    const made = await credit(300)
    assert.ok(made.status === 200 || made.status === 201, JSON.stringify(made.body))
    assert.equal((await credit(300)).body['code'], 'credit_exceeds_invoice')
    assert.equal(money((await invoiceOf(bakery, '2028-05-31'))['open']), '9.66')
  },
)

chapter('1 August: the clinic leaves at once, and gets back 30 of the 31 days it had paid for', async () => {
  await diary.advance(clock, { to: '2028-08-01T12:00:00Z' })
  await diary.post(`/v1/subscriptions/${clinic}/cancel`, { when: 'now', reason: 'closed' })
  await diary.untilPhase(clinic, 'ended', 120_000)
  // 11.00 for 31 July to 31 August: 11.00 × 30 / 31.
  const documents = await diary.invoices(clinic)
  assert.deepEqual(read(documents.at(-1)), [
    '2028-08-01 credit_note 10.65',
    'flat-odoo credit 2028-08-01 to 2028-08-31: -10.65',
  ])
  assert.equal(documents.length, 9)
})

chapter(
  '10 September: the bakery leaves at the end of the month; its last invoice is its last usage',
  async () => {
    await diary.advance(clock, { to: '2028-09-10T12:00:00Z' })
    await diary.post(`/v1/subscriptions/${bakery}/cancel`, { when: 'period_end', reason: 'sold' })
    await use('last', '1.25', '2028-09-09T08:00:00Z')
    await diary.advance(clock, { to: '2028-11-01T00:00:00Z' })
    await diary.untilPhase(bakery, 'ended', 120_000)
    const documents = await diary.invoices(bakery)
    // 1.25 GiB at the revised 1.10.
    assert.deepEqual(read(documents.at(-1)), [
      '2028-09-30 invoice 1.38',
      'network-usage usage 2028-08-31 to 2028-09-30: 1.38',
    ])
  },
)

chapter('and in the books of the year there is nothing that must never be', async () => {
  await assertInvariants(installation.db)
})
