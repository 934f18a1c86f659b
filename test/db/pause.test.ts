import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { readAgenda } from '#db/agenda.ts'
import { beginPause, endPause, pauseSubscription, resumeLines, unpauseSubscription } from '#db/pause.ts'
import { cancelSubscription, uncancelSubscription } from '#db/subscription-command.ts'
import { setPhase } from '#db/subscription.ts'
import { listInvoiceLines } from '#test/support/invoices.ts'
import { listServedLines } from '#test/support/lines.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const tenDays = { startsOn: '2026-04-11', endsOn: '2026-04-21', reason: 'holidays' }

async function phaseOf(subscriptionId: string): Promise<string> {
  const { phase } = await seller.db
    .selectFrom('subscriptions')
    .select('phase')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  return phase
}

test('a planned pause leaves its days out, and what was paid for them comes back', async () => {
  const { subscriptionId, documentId, command } = await sellUsers(seller)
  await pauseSubscription(seller.db, command('pause', '2026-04-05'), tenDays)
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-11',
    '5 odoo-user from 2026-04-21 to open',
  ])
  const billed = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual((await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')).toSorted(), [
    'credit 2026-04-11/2026-05-01 5 × 1 = -333',
    'recurring 2026-04-21/2026-05-01 5 × 1 = 167',
    'recurring 2026-05-01/2026-06-01 5 × 1 = 500',
  ])
})

test('a change that was planned for a day of the pause holds from its end', async () => {
  const { subscriptionId, documentId, command, change } = await sellUsers(seller)
  await change('more', '2026-04-05', { quantity: '9', startsOn: '2026-04-15' })
  await pauseSubscription(seller.db, command('pause', '2026-04-05'), tenDays)
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-11',
    '9 odoo-user from 2026-04-21 to open',
  ])
  const billed = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual((await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')).toSorted(), [
    'credit 2026-04-11/2026-05-01 5 × 1 = -333',
    'recurring 2026-04-21/2026-05-01 9 × 1 = 300',
    'recurring 2026-05-01/2026-06-01 9 × 1 = 900',
  ])
})

test('its first and its last day are on the agenda, each while it is to come', async () => {
  const { subscriptionId, command } = await sellUsers(seller)
  await pauseSubscription(seller.db, command('pause', '2026-04-05'), tenDays)
  const agendaOn = async (day: string) => await readAgenda(seller.db, subscriptionId, `${day}T12:00:00Z`)
  assert.partialDeepStrictEqual(await agendaOn('2026-04-05'), {
    pauseAt: '2026-04-11T00:00:00Z',
    resumeAt: null,
  })
  await beginPause(seller.db, subscriptionId, '2026-04-11T00:00:00Z')
  assert.equal(await phaseOf(subscriptionId), 'suspended')
  assert.partialDeepStrictEqual(await agendaOn('2026-04-11'), {
    pauseAt: null,
    resumeAt: '2026-04-21T00:00:00Z',
  })
  await endPause(seller.db, subscriptionId, '2026-04-21T00:00:00Z')
  assert.equal(await phaseOf(subscriptionId), 'active')
  assert.partialDeepStrictEqual(await agendaOn('2026-04-21'), { pauseAt: null, resumeAt: null })
})

test('what was suspended by hand before is not started by a pause', async () => {
  const { subscriptionId, command } = await sellUsers(seller)
  await pauseSubscription(seller.db, command('pause', '2026-04-05'), tenDays)
  const suspended = { phase: 'suspended', now: '2026-04-06T00:00:00Z', suspendedReason: 'unpaid' } as const
  await setPhase(seller.db, subscriptionId, suspended)
  await beginPause(seller.db, subscriptionId, '2026-04-11T00:00:00Z')
  const agenda = await readAgenda(seller.db, subscriptionId, '2026-04-12T00:00:00Z')
  assert.deepEqual([agenda.pauseAt, agenda.resumeAt], [null, null])
})

test('a pause without an end bills nothing until it is resumed', async () => {
  const { subscriptionId, documentId, command } = await sellUsers(seller)
  await pauseSubscription(seller.db, command('pause', '2026-04-11'), { reason: null })
  await beginPause(seller.db, subscriptionId, '2026-04-11T12:00:00Z')
  const last = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual(await listInvoiceLines(seller.db, last.invoiceNumber ?? ''), [
    'credit 2026-04-11/2026-05-01 5 × 1 = -333',
  ])
  assert.equal(last.next, null)
  await resumeLines(seller.db, command('resume', '2026-06-15'))
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-11',
    '5 odoo-user from 2026-06-15 to open',
  ])
  const { documents } = await readAgenda(seller.db, subscriptionId, '2026-06-15T12:00:00Z')
  const [opened] = documents
  assert.equal(opened?.dueAt, '2026-06-15T00:00:00Z')
  const billed = await billDue(seller.db, opened?.documentId ?? '', '2026-06-15T12:00:00Z')
  assert.deepEqual(await listInvoiceLines(seller.db, billed.invoiceNumber ?? ''), [
    'recurring 2026-06-15/2026-07-15 5 × 1 = 500',
  ])
})

test('resumed before its time it goes on from that day', async () => {
  const { subscriptionId, command } = await sellUsers(seller)
  await pauseSubscription(seller.db, command('pause', '2026-04-05'), tenDays)
  await beginPause(seller.db, subscriptionId, '2026-04-11T00:00:00Z')
  await resumeLines(seller.db, command('resume', '2026-04-15'))
  await resumeLines(seller.db, command('resume', '2026-04-15'))
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-11',
    '5 odoo-user from 2026-04-15 to open',
  ])
})

test('resumed on the day it was paused, it goes on as if nothing had been', async () => {
  const { subscriptionId, documentId, command } = await sellUsers(seller)
  await pauseSubscription(seller.db, command('pause', '2026-04-11'), { reason: null })
  await beginPause(seller.db, subscriptionId, '2026-04-11T12:00:00Z')
  await resumeLines(seller.db, command('resume', '2026-04-11'))
  const billed = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  const lines = await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')
  assert.deepEqual(lines.toSorted(), [
    'credit 2026-04-11/2026-05-01 5 × 1 = -333',
    'recurring 2026-04-11/2026-05-01 5 × 1 = 333',
    'recurring 2026-05-01/2026-06-01 5 × 1 = 500',
  ])
})

test('a change that was planned is planned later by the days of the pause', async () => {
  const { subscriptionId, command, change } = await sellUsers(seller)
  await change('down', '2026-04-02', { quantity: '3' })
  await pauseSubscription(seller.db, command('pause', '2026-04-05'), tenDays)
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-11',
    '5 odoo-user from 2026-04-21 to 2026-05-11',
    '3 odoo-user from 2026-05-11 to open',
  ])
})

test('withdrawn before it began, a pause leaves everything as it was', async () => {
  const { subscriptionId, command, change } = await sellUsers(seller)
  await change('down', '2026-04-02', { quantity: '3' })
  const before = await listServedLines(seller.db, subscriptionId)
  await pauseSubscription(seller.db, command('pause', '2026-04-05'), tenDays)
  await unpauseSubscription(seller.db, command('stay', '2026-04-06'))
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), before)
  const agenda = await readAgenda(seller.db, subscriptionId, '2026-04-06T12:00:00Z')
  assert.deepEqual([agenda.pauseAt, agenda.changeAt], [null, '2026-05-01T00:00:00Z'])
})

test('a pause is not withdrawn once its lines were changed, and none is where none is planned', async () => {
  const { command, change } = await sellUsers(seller)
  await assert.rejects(unpauseSubscription(seller.db, command('stay', '2026-04-06')), {
    code: 'action_not_allowed',
  })
  await pauseSubscription(seller.db, command('pause', '2026-04-05'), tenDays)
  await change('up', '2026-04-07', { quantity: '10' })
  await assert.rejects(unpauseSubscription(seller.db, command('stay', '2026-04-08')), {
    code: 'action_not_allowed',
  })
})

test('several pauses may be planned, but no day twice, none in the past, none of no day', async () => {
  const { subscriptionId, command } = await sellUsers(seller)
  const pause = async (requestId: string, startsOn: string, endsOn: string) =>
    await pauseSubscription(seller.db, command(requestId, '2026-04-05'), { startsOn, endsOn, reason: null })
  await pause('a', '2026-04-11', '2026-04-21')
  await pause('b', '2026-06-01', '2026-06-11')
  await assert.rejects(pause('c', '2026-06-10', '2026-06-12'), { code: 'action_not_allowed' })
  await assert.rejects(pause('d', '2026-04-04', '2026-04-06'), { code: 'date_range_invalid' })
  await assert.rejects(pause('e', '2026-07-01', '2026-07-01'), { code: 'date_range_invalid' })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-11',
    '5 odoo-user from 2026-04-21 to 2026-06-01',
    '5 odoo-user from 2026-06-11 to open',
  ])
})

test('cancelled during a pause and resumed, it runs to the day on which it ends; taken back, without end', async () => {
  const { subscriptionId, command } = await sellUsers(seller)
  await pauseSubscription(seller.db, command('pause', '2026-04-11'), { reason: null })
  await beginPause(seller.db, subscriptionId, '2026-04-11T12:00:00Z')
  await cancelSubscription(seller.db, command('end', '2026-04-12'), { when: 'period_end', reason: 'moved' })
  await resumeLines(seller.db, command('resume', '2026-04-15'))
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-04-11',
    '5 odoo-user from 2026-04-15 to 2026-05-01',
  ])
  await uncancelSubscription(seller.db, command('stay', '2026-04-16'))
  assert.deepEqual(
    (await listServedLines(seller.db, subscriptionId)).at(-1),
    '5 odoo-user from 2026-04-15 to open',
  )
})
