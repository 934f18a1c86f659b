import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { readAgenda } from '#db/agenda.ts'
import { pauseSubscription } from '#db/pause.ts'
import { renewTerm, setTerm } from '#db/renewal.ts'
import { cancelSubscription, uncancelSubscription } from '#db/subscription-command.ts'
import { listServedLines } from '#test/support/lines.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

/** A year with a month of notice. */
const year = { length: { count: 1, unit: 'year' }, notice: { count: 1, unit: 'month' } } as const
const periodEnd = { when: 'period_end', reason: 'moved' } as const

async function sellTerm(renewal: 'renew' | 'end') {
  const sold = await sellUsers(seller)
  await setTerm(seller.db, sold.command('term', '2026-04-02'), { ...year, renewal })
  const ends = async () =>
    await seller.db
      .selectFrom('subscriptions')
      .select(['term_ends_on', 'ends_on'])
      .where('id', '=', sold.subscriptionId)
      .executeTakeFirstOrThrow()
  const agendaOn = async (day: string) => await readAgenda(seller.db, sold.subscriptionId, `${day}T12:00:00Z`)
  return { ...sold, ends, agendaOn }
}

test('a term that is renewed is renewed on its last day, once, and counted from the first day of service', async () => {
  const { subscriptionId, ends, agendaOn } = await sellTerm('renew')
  assert.deepEqual(await ends(), { term_ends_on: '2027-04-01', ends_on: null })
  assert.equal((await agendaOn('2026-04-02')).termAt, '2027-03-31T00:00:00Z')
  await renewTerm(seller.db, subscriptionId, '2027-03-30T23:59:59Z')
  assert.equal((await ends()).term_ends_on, '2027-04-01')
  await renewTerm(seller.db, subscriptionId, '2027-03-31T00:00:00Z')
  await renewTerm(seller.db, subscriptionId, '2027-03-31T12:00:00Z')
  assert.equal((await ends()).term_ends_on, '2028-04-01')
})

test('terms that were missed are renewed at once to the one that holds today', async () => {
  const { subscriptionId, ends } = await sellTerm('renew')
  await renewTerm(seller.db, subscriptionId, '2029-06-01T00:00:00Z')
  assert.equal((await ends()).term_ends_on, '2030-04-01')
})

test('a term that is not renewed ends the subscription by itself', async () => {
  const { subscriptionId, ends, agendaOn } = await sellTerm('end')
  assert.deepEqual(await ends(), { term_ends_on: '2027-04-01', ends_on: '2027-04-01' })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2027-04-01',
  ])
  const agenda = await agendaOn('2026-04-02')
  assert.deepEqual([agenda.endsAt, agenda.termAt], ['2027-04-01T00:00:00Z', null])
})

test('renewal that is agreed after all opens the end again', async () => {
  const { subscriptionId, command, ends } = await sellTerm('end')
  await setTerm(seller.db, command('on', '2026-05-02'), { ...year, renewal: 'renew' })
  assert.deepEqual(await ends(), { term_ends_on: '2027-04-01', ends_on: null })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), ['5 odoo-user from 2026-04-01 to open'])
})

test('a cancellation in time ends the running term, one within the notice the next', async () => {
  const early = await sellTerm('renew')
  await cancelSubscription(seller.db, early.command('end', '2027-02-28'), periodEnd)
  assert.equal((await early.ends()).ends_on, '2027-04-01')
  const late = await sellTerm('renew')
  await cancelSubscription(seller.db, late.command('end', '2027-03-01'), periodEnd)
  assert.equal((await late.ends()).ends_on, '2028-04-01')
})

test('a withdrawn cancellation leaves the end that the term has', async () => {
  const { subscriptionId, command, ends } = await sellTerm('end')
  await cancelSubscription(seller.db, command('early', '2026-05-02'), {
    when: 'date',
    endsOn: '2026-07-01',
    reason: 'moved',
  })
  await uncancelSubscription(seller.db, command('stay', '2026-05-03'))
  assert.equal((await ends()).ends_on, '2027-04-01')
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2027-04-01',
  ])
})

test('a term ends later by the days of a pause', async () => {
  const { subscriptionId, command, ends } = await sellTerm('end')
  const pause = { startsOn: '2026-06-01', endsOn: '2026-06-11', reason: null }
  await pauseSubscription(seller.db, command('pause', '2026-05-02'), pause)
  assert.deepEqual(await ends(), { term_ends_on: '2027-04-11', ends_on: '2027-04-11' })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-06-01',
    '5 odoo-user from 2026-06-11 to 2027-04-11',
  ])
})
