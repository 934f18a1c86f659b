import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { actOnLine } from '#db/line-action.ts'
import { toStandingLine } from '#db/line-standing.ts'
import { listSubscriptionLines } from '#db/read/subscription.ts'
import { setTerm } from '#db/renewal.ts'
import { stopSubscriptionLine } from '#db/stopped-line.ts'
import { allowedLineActions, type LineAction } from '#domain/line.ts'
import type { LineCommand } from '#domain/subscription.ts'
import { listServedLines } from '#test/support/lines.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

/** Five users from 1 April, billed for April; three from 1 May are planned, and nothing of them was billed. */
async function sellPlanned() {
  const sold = await sellUsers(seller)
  await sold.change('down', '2026-04-10', { quantity: '3' })
  const [before, planned] = await listSubscriptionLines(seller.db, sold.subscriptionId)
  assert.ok(before && planned)
  return { ...sold, ...actions(sold), plannedId: planned.id }
}

function actions({ subscriptionId, command }: Awaited<ReturnType<typeof sellUsers>>) {
  const act = async (requestId: string, day: string, asked: LineCommand) =>
    await actOnLine(seller.db, command(requestId, day), asked)
  const served = async () => await listServedLines(seller.db, subscriptionId)
  /** By the day of the line's own clock. */
  const allowed = async (lineId: string, day: string): Promise<LineAction[]> => {
    const row = (await listSubscriptionLines(seller.db, subscriptionId)).find(({ id }) => id === lineId)
    const line = row && toStandingLine(row)
    assert.ok(line)
    return allowedLineActions(line, day)
  }
  return { act, served, allowed }
}

const april = '5 odoo-user from 2026-04-01 to 2026-05-01'
const fromMay = '3 odoo-user from 2026-05-01 to open'

test('what was never billed is cancelled as if it had never begun, is not billed, and is brought back', async () => {
  const { act, served, allowed, plannedId, documentId } = await sellPlanned()
  assert.deepEqual(await allowed(plannedId, '2026-04-11'), ['pause', 'stop', 'cancel', 'delay', 'delete'])
  await act('cancel', '2026-04-11', { kind: 'cancelLine', subscriptionLineId: plannedId })
  assert.deepEqual(await served(), [april])
  assert.deepEqual(await allowed(plannedId, '2026-04-11'), ['uncancel', 'delete'])
  await act('back', '2026-04-12', { kind: 'uncancelLine', subscriptionLineId: plannedId })
  assert.deepEqual(await served(), [april, fromMay])
  await act('again', '2026-04-13', { kind: 'cancelLine', subscriptionLineId: plannedId })
  assert.equal((await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')).invoiceNumber, null)
})

test('a billed line is not cancelled, delayed or deleted', async () => {
  const { act, allowed, subscriptionLineId } = await sellPlanned()
  assert.deepEqual(await allowed(subscriptionLineId, '2026-04-11'), ['stop'])
  const asked: LineCommand[] = [
    { kind: 'cancelLine', subscriptionLineId },
    { kind: 'delayLine', subscriptionLineId, startsOn: '2026-04-20' },
    { kind: 'deleteLine', subscriptionLineId },
    { kind: 'uncancelLine', subscriptionLineId },
    { kind: 'planSuccessor', subscriptionLineId, startsOn: '2026-05-01' },
  ]
  for (const one of asked)
    await assert.rejects(act(one.kind, '2026-04-11', one), {
      code: 'action_not_allowed',
      message: /Possible: stop\.$/,
    })
})

test('a line that has not begun, stopped, is cancelled and can be brought back', async () => {
  const { act, served, allowed, command, plannedId } = await sellPlanned()
  await stopSubscriptionLine(seller.db, command('stop', '2026-04-11'), { subscriptionLineId: plannedId })
  assert.deepEqual(
    [await served(), await allowed(plannedId, '2026-04-11')],
    [[april], ['uncancel', 'delete']],
  )
  const again = stopSubscriptionLine(seller.db, command('stop-2', '2026-04-11'), {
    subscriptionLineId: plannedId,
  })
  await assert.rejects(again, { code: 'action_not_allowed', message: /it is cancelled/ })
  await act('back', '2026-04-12', { kind: 'uncancelLine', subscriptionLineId: plannedId })
  assert.deepEqual(await served(), [april, fromMay])
})

test('a cancelled line stays so once another has its place', async () => {
  const { act, served, allowed, plannedId, subscriptionLineId } = await sellPlanned()
  await act('cancel', '2026-04-11', { kind: 'cancelLine', subscriptionLineId: plannedId })
  assert.deepEqual(await allowed(subscriptionLineId, '2026-04-11'), ['successor', 'pause', 'stop'])
  const plan = {
    kind: 'planSuccessor',
    subscriptionLineId,
    startsOn: '2026-06-01',
    endsOn: '2026-08-01',
  } as const
  await act('next', '2026-04-12', plan)
  assert.deepEqual(await served(), [april, '5 odoo-user from 2026-06-01 to 2026-08-01'])
  await assert.rejects(act('back', '2026-04-13', { kind: 'uncancelLine', subscriptionLineId: plannedId }), {
    code: 'action_not_allowed',
    message: /another line took its place.*Possible: delete/,
  })
})

test('a successor starts on the day on which the other ends, or later, and is billed', async () => {
  const { act, plannedId, subscriptionLineId, documentId } = await sellPlanned()
  await act('cancel', '2026-04-11', { kind: 'cancelLine', subscriptionLineId: plannedId })
  await assert.rejects(
    act('early', '2026-04-12', { kind: 'planSuccessor', subscriptionLineId, startsOn: '2026-04-30' }),
    { code: 'date_range_invalid' },
  )
  await act('next', '2026-04-12', { kind: 'planSuccessor', subscriptionLineId, startsOn: '2026-05-01' })
  const { invoiceNumber } = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.ok(invoiceNumber)
})

test('a delayed line begins on a later day, and its end moves by as many days', async () => {
  const { act, served, plannedId, command } = await sellPlanned()
  const stop = { subscriptionLineId: plannedId, endsOn: '2026-07-01' }
  await stopSubscriptionLine(seller.db, command('stop', '2026-04-11'), stop)
  await act('later', '2026-04-12', {
    kind: 'delayLine',
    subscriptionLineId: plannedId,
    startsOn: '2026-05-11',
  })
  assert.deepEqual(await served(), [april, '3 odoo-user from 2026-05-11 to 2026-07-11'])
  await assert.rejects(
    act('earlier', '2026-04-12', {
      kind: 'delayLine',
      subscriptionLineId: plannedId,
      startsOn: '2026-05-01',
    }),
    { code: 'date_range_invalid', message: /starts on 2026-05-11 already/ },
  )
})

test('a line is not delayed into the one that follows it', async () => {
  const { act, plannedId, command } = await sellPlanned()
  const stop = { subscriptionLineId: plannedId, endsOn: '2026-07-01' }
  await stopSubscriptionLine(seller.db, command('stop', '2026-04-11'), stop)
  const next = { kind: 'planSuccessor', subscriptionLineId: plannedId, startsOn: '2026-07-05' } as const
  await act('next', '2026-04-12', next)
  const delay = (startsOn: string) =>
    act(startsOn, '2026-04-12', { kind: 'delayLine', subscriptionLineId: plannedId, startsOn })
  await assert.rejects(delay('2026-05-06'), { code: 'date_range_invalid' })
  await delay('2026-05-05')
})

test('a deleted line is gone, once for one command', async () => {
  const { act, served, plannedId, subscriptionId } = await sellPlanned()
  const gone = { kind: 'deleteLine', subscriptionLineId: plannedId } as const
  await act('delete', '2026-04-11', gone)
  await act('delete', '2026-04-11', gone)
  assert.deepEqual(await served(), [april])
  assert.equal((await listSubscriptionLines(seller.db, subscriptionId)).length, 1)
  await assert.rejects(act('more', '2026-04-12', gone), { code: 'not_found' })
})

test('a line that other records name is not deleted', async () => {
  const { act, plannedId, subscriptionLineId } = await sellPlanned()
  await seller.db
    .updateTable('subscription_lines')
    .set({ transferred_from_line_id: plannedId })
    .where('id', '=', subscriptionLineId)
    .execute()
  await assert.rejects(act('delete', '2026-04-11', { kind: 'deleteLine', subscriptionLineId: plannedId }), {
    code: 'action_not_allowed',
    message: /other records name it/,
  })
})

test('an open line of a term that is renewed renews by itself: nothing can be planned to follow it', async () => {
  const { act, allowed, plannedId, command } = await sellPlanned()
  const year = { length: { count: 1, unit: 'year' }, notice: { count: 1, unit: 'month' } } as const
  await setTerm(seller.db, command('term', '2026-04-11'), { ...year, renewal: 'renew' })
  const next = { kind: 'planSuccessor', subscriptionLineId: plannedId, startsOn: '2027-04-01' } as const
  await assert.rejects(act('next', '2026-04-12', next), {
    code: 'action_not_allowed',
    message: /it renews by itself/,
  })
  assert.deepEqual(await allowed(plannedId, '2026-04-12'), ['pause', 'stop', 'cancel', 'delay', 'delete'])
})
