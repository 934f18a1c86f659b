import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { stopSubscriptionLine } from '#db/stopped-line.ts'
import { listServedLines } from '#test/support/lines.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

test('a line ends where it was billed to, and the next invoice charges it no more', async () => {
  const { subscriptionId, subscriptionLineId, documentId, command } = await sellUsers(seller)
  await stopSubscriptionLine(seller.db, command('stop', '2026-04-10'), { subscriptionLineId })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-05-01',
  ])
  assert.equal((await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')).invoiceNumber, null)
})

test('it does not end before the day to which it was billed', async () => {
  const { subscriptionLineId, command } = await sellUsers(seller)
  const stop = { subscriptionLineId, endsOn: '2026-04-20' }
  await assert.rejects(stopSubscriptionLine(seller.db, command('stop', '2026-04-10'), stop), {
    code: 'before_last_billed_day',
  })
})

test('a line that has not begun never does', async () => {
  const { subscriptionId, command, change } = await sellUsers(seller)
  await change('down', '2026-04-10', { quantity: '3' })
  const { id } = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .where('starts_on', '=', '2026-05-01')
    .executeTakeFirstOrThrow()
  const stop = { subscriptionLineId: id, endsOn: '2026-04-20' }
  await stopSubscriptionLine(seller.db, command('stop', '2026-04-11'), stop)
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-05-01',
  ])
})

test('what was planned to follow a line ends with it', async () => {
  const { subscriptionId, subscriptionLineId, documentId, command, change } = await sellUsers(seller)
  await change('down', '2026-04-10', { quantity: '3' })
  await stopSubscriptionLine(seller.db, command('stop', '2026-04-11'), { subscriptionLineId })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-05-01',
  ])
  assert.equal((await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')).invoiceNumber, null)
})

test('stopped on a later day than it lasts, a line is followed until then', async () => {
  const { subscriptionId, subscriptionLineId, command, change } = await sellUsers(seller)
  await change('down', '2026-04-10', { quantity: '3' })
  const stop = { subscriptionLineId, endsOn: '2026-06-16' }
  await stopSubscriptionLine(seller.db, command('stop', '2026-04-11'), stop)
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '5 odoo-user from 2026-04-01 to 2026-05-01',
    '3 odoo-user from 2026-05-01 to 2026-06-16',
  ])
})

test('a line of another subscription is not there', async () => {
  const [mine, other] = [await sellUsers(seller), await sellUsers(seller)]
  const stop = { subscriptionLineId: other.subscriptionLineId }
  await assert.rejects(stopSubscriptionLine(seller.db, mine.command('stop', '2026-04-10'), stop), {
    code: 'not_found',
  })
})
