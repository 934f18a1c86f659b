import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { billFinal } from '#db/billing.ts'
import { readAgenda } from '#db/agenda.ts'
import { listSoldLimits } from '#db/sold-limit.ts'
import { setParked, setPhase } from '#db/subscription.ts'
import { changeSubscription, previewChange } from '#db/plan.ts'
import { setTerm } from '#db/renewal.ts'
import { cancelSubscription, uncancelSubscription } from '#db/subscription-command.ts'
import type { EventKind } from '#db/event.ts'
import { openTask } from '#db/task.ts'
import { newId } from '#db/identifier.ts'
import { listDocumentIds, listInvoiceLines } from '#test/support/invoices.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const periodEnd = { when: 'period_end', reason: 'moved' } as const

/** Five users from 1 April 2026 on, by a clock of their own. */
async function sellUsers() {
  const now = '2026-04-01T08:00:00Z'
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ product: 'odoo-user', quantity: '5', testClockId, now })
  const { id: subscriptionLineId } = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const command = (requestId: string, at: string) => ({ subscriptionId, requestId, actor: 'test', now: at })
  const change = (quantity: string) => ({ subscriptionLineId, quantity })
  return { subscriptionId, subscriptionLineId, testClockId, command, change }
}

/** `5 from 2026-04-01 to 2026-04-10`, in order. */
async function listLines(subscriptionId: string): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('subscription_lines')
    .select(['quantity', 'starts_on', 'ends_on'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('starts_on')
    .orderBy('id')
    .execute()
  return rows.map((row) => `${row.quantity} from ${row.starts_on} to ${row.ends_on ?? 'open'}`)
}

async function countEvents(subscriptionId: string, kind: EventKind): Promise<number> {
  const rows = await seller.db
    .selectFrom('events')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .where('kind', '=', kind)
    .execute()
  return rows.length
}

test('an upgrade closes the line on its day and opens its successor there', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  await changeSubscription(seller.db, command('up', '2026-04-10T12:00:00Z'), change('10'))
  assert.deepEqual(await listLines(subscriptionId), [
    '5 from 2026-04-01 to 2026-04-10',
    '10 from 2026-04-10 to open',
  ])
})

test('the same request ten times at once is carried out once', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  const ask = async () => changeSubscription(seller.db, command('up', '2026-04-10T12:00:00Z'), change('10'))
  await Promise.all(Array.from({ length: 10 }, ask))
  assert.equal((await listLines(subscriptionId)).length, 2)
  assert.equal(await countEvents(subscriptionId, 'subscription.changed'), 1)
})

test('a request that was refused leaves nothing, and may be given again', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  const same = command('up', '2026-04-10T12:00:00Z')
  await assert.rejects(changeSubscription(seller.db, same, change('5')), { code: 'quantity_unchanged' })
  await changeSubscription(seller.db, same, change('6'))
  assert.equal((await listLines(subscriptionId)).length, 2)
})

test('of two different changes at once both hold, one after the other, without overlap', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  await Promise.all([
    changeSubscription(seller.db, command('a', '2026-04-10T12:00:00Z'), change('10')),
    changeSubscription(seller.db, command('b', '2026-04-10T12:00:00Z'), change('20')),
  ])
  const lines = await listLines(subscriptionId)
  assert.equal(lines.filter((line) => line.endsWith('to open')).length, 1)
})

test('several upgrades on one day leave one line in force', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  for (const quantity of ['10', '20', '30']) {
    await changeSubscription(seller.db, command(quantity, '2026-04-10T12:00:00Z'), change(quantity))
  }
  assert.deepEqual(
    (await listLines(subscriptionId)).filter((line) => !line.includes('from 2026-04-10 to 2026-04-10')),
    ['5 from 2026-04-01 to 2026-04-10', '30 from 2026-04-10 to open'],
  )
})

test('a downgrade is planned for the end of the period, and a later change replaces it', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  await changeSubscription(seller.db, command('down', '2026-04-10T12:00:00Z'), change('3'))
  assert.deepEqual(await listLines(subscriptionId), [
    '5 from 2026-04-01 to 2026-05-01',
    '3 from 2026-05-01 to open',
  ])
  assert.equal(
    (await readAgenda(seller.db, subscriptionId, '2026-04-10T13:00:00Z')).changeAt,
    '2026-05-01T00:00:00Z',
  )
  await changeSubscription(seller.db, command('up', '2026-04-20T12:00:00Z'), change('8'))
  assert.deepEqual(await listLines(subscriptionId), [
    '5 from 2026-04-01 to 2026-04-20',
    '8 from 2026-04-20 to open',
  ])
  assert.equal((await readAgenda(seller.db, subscriptionId, '2026-04-20T13:00:00Z')).changeAt, null)
})

test('a preview says what the change will do, and does not do it', async () => {
  const { subscriptionId, change } = await sellUsers()
  const preview = await previewChange(seller.db, {
    subscriptionId,
    ...change('3'),
    now: '2026-04-10T12:00:00Z',
  })
  assert.partialDeepStrictEqual(preview, {
    direction: 'downgrade',
    effectiveOn: '2026-05-01',
    limitCode: 'users',
  })
  assert.deepEqual(await listLines(subscriptionId), ['5 from 2026-04-01 to open'])
})

test('a line of another subscription cannot be changed through this one', async () => {
  const mine = await sellUsers()
  const other = await sellUsers()
  const change = { subscriptionLineId: other.subscriptionLineId, quantity: '50' }
  await assert.rejects(changeSubscription(seller.db, mine.command('up', '2026-04-10T12:00:00Z'), change), {
    code: 'not_found',
  })
})

test('what is sold of a limit follows the lines in force', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  await changeSubscription(seller.db, command('down', '2026-04-10T12:00:00Z'), change('3'))
  const soldOn = async (now: string) =>
    (await listSoldLimits(seller.db, { subscriptionId }, now)).map(
      (limit) => `${limit.code} ${limit.quantity}`,
    )
  assert.deepEqual(await soldOn('2026-04-30T23:59:59Z'), ['users 5'])
  assert.deepEqual(await soldOn('2026-05-01T00:00:00Z'), ['users 3'])
})

test('a cancellation ends every line at the period’s end and drops what was planned', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  await changeSubscription(seller.db, command('down', '2026-04-10T12:00:00Z'), change('3'))
  await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), periodEnd)
  assert.deepEqual(await listLines(subscriptionId), ['5 from 2026-04-01 to 2026-05-01'])
  assert.equal(
    (await readAgenda(seller.db, subscriptionId, '2026-04-12T13:00:00Z')).endsAt,
    '2026-05-01T00:00:00Z',
  )
})

test('a cancellation keeps why, by the list and in words, in its row and in its event', async () => {
  const { subscriptionId, command } = await sellUsers()
  const why = { reason: 'They said so', reasonCode: 'too_expensive' } as const
  await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), { ...periodEnd, ...why })
  const row = await seller.db
    .selectFrom('subscriptions')
    .select(['cancel_reason', 'cancel_reason_code'])
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, { cancel_reason: 'They said so', cancel_reason_code: 'too_expensive' })
  const event = await seller.db
    .selectFrom('events')
    .select('data')
    .where('subscription_id', '=', subscriptionId)
    .where('kind', '=', 'subscription.cancelled')
    .executeTakeFirstOrThrow()
  assert.deepEqual([event.data['reason'], event.data['reason_code']], ['They said so', 'too_expensive'])
})

test('a withdrawn cancellation opens the lines again', async () => {
  const { subscriptionId, command } = await sellUsers()
  await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), periodEnd)
  await uncancelSubscription(seller.db, command('stay', '2026-04-13T12:00:00Z'))
  assert.deepEqual(await listLines(subscriptionId), ['5 from 2026-04-01 to open'])
  const row = await seller.db
    .selectFrom('subscriptions')
    .select(['ends_on', 'cancel_requested_at', 'cancel_reason', 'cancel_reason_code'])
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, {
    ends_on: null,
    cancel_requested_at: null,
    cancel_reason: null,
    cancel_reason_code: null,
  })
})

test('a withdrawn cancellation does not open the lines that a change had closed', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  await changeSubscription(seller.db, command('down', '2026-04-10T12:00:00Z'), change('3'))
  await cancelSubscription(seller.db, command('end', '2026-05-05T12:00:00Z'), periodEnd)
  await uncancelSubscription(seller.db, command('stay', '2026-05-06T12:00:00Z'))
  assert.deepEqual(await listLines(subscriptionId), [
    '5 from 2026-04-01 to 2026-05-01',
    '3 from 2026-05-01 to open',
  ])
})

test('a withdrawn cancellation plans again what was planned before it', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  await changeSubscription(seller.db, command('down', '2026-04-10T12:00:00Z'), change('3'))
  await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), periodEnd)
  await cancelSubscription(seller.db, command('later', '2026-04-13T12:00:00Z'), {
    when: 'date',
    endsOn: '2026-06-16',
    reason: 'moved',
  })
  assert.deepEqual(await listLines(subscriptionId), [
    '5 from 2026-04-01 to 2026-05-01',
    '3 from 2026-05-01 to 2026-06-16',
  ])
  await uncancelSubscription(seller.db, command('stay', '2026-04-14T12:00:00Z'))
  assert.deepEqual(await listLines(subscriptionId), [
    '5 from 2026-04-01 to 2026-05-01',
    '3 from 2026-05-01 to open',
  ])
})

test('billing may end before service: nothing is billed then, and it runs to its own last day', async () => {
  const { subscriptionId, command } = await sellUsers()
  await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), {
    ...periodEnd,
    serviceEndsOn: '2026-05-16',
  })
  assert.deepEqual(await listLines(subscriptionId), ['5 from 2026-04-01 to 2026-05-01'])
  const agenda = await readAgenda(seller.db, subscriptionId, '2026-04-12T13:00:00Z')
  assert.equal(agenda.endsAt, '2026-05-16T00:00:00Z')
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const billed = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  assert.deepEqual([billed.invoiceNumber, billed.next], [null, null])
  assert.equal((await billFinal(seller.db, subscriptionId, '2026-05-16T00:00:00Z')).length, 1)
})

test('withdrawn after billing ended and before service did, it is billed on without a hole', async () => {
  const { subscriptionId, command } = await sellUsers()
  const serviceEndsOn = '2026-06-16'
  await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), { ...periodEnd, serviceEndsOn })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  await uncancelSubscription(seller.db, command('stay', '2026-05-20T12:00:00Z'))
  const billed = await billDue(seller.db, documentId, '2026-06-01T00:00:00Z')
  assert.deepEqual((await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')).toSorted(), [
    'recurring 2026-05-01/2026-06-01 5 × 1 = 500',
    'recurring 2026-06-01/2026-07-01 5 × 1 = 500',
  ])
})

test('withdrawn when another document was opened in place of the closed one, it is billed on with that', async () => {
  const { subscriptionId, command, testClockId } = await sellUsers()
  const serviceEndsOn = '2026-06-16'
  await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), { ...periodEnd, serviceEndsOn })
  const [closedId = ''] = await listDocumentIds(seller.db, subscriptionId)
  await billDue(seller.db, closedId, '2026-05-01T00:00:00Z')
  await seller.sell({ product: 'odoo-user', quantity: '2', testClockId, now: '2026-05-11T08:00:00Z' })
  await uncancelSubscription(seller.db, command('stay', '2026-05-20T12:00:00Z'))
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const billed = await billDue(seller.db, documentId, '2026-06-11T00:00:00Z')
  assert.deepEqual((await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')).toSorted(), [
    'recurring 2026-05-01/2026-05-11 5 × 1 = 167',
    'recurring 2026-05-11/2026-06-11 5 × 1 = 500',
    'recurring 2026-06-11/2026-07-11 2 × 1 = 200',
    'recurring 2026-06-11/2026-07-11 5 × 1 = 500',
  ])
})

test('withdrawn after days were credited, these are charged again; so are those before a later end', async () => {
  const sellCancelled = async () => {
    const sold = await sellUsers()
    await cancelSubscription(seller.db, sold.command('end', '2026-04-12T12:00:00Z'), {
      when: 'date',
      endsOn: '2026-04-16',
      serviceEndsOn: '2026-06-16',
      reason: 'moved',
    })
    const [documentId = ''] = await listDocumentIds(seller.db, sold.subscriptionId)
    const credited = await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
    assert.deepEqual(await listInvoiceLines(seller.db, credited.invoiceNumber ?? ''), [
      'credit 2026-04-16/2026-05-01 5 × 1 = -250',
    ])
    return { ...sold, documentId }
  }
  const billJune = async (documentId: string) => {
    const billed = await billDue(seller.db, documentId, '2026-06-01T00:00:00Z')
    return (await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')).toSorted()
  }
  const first = await sellCancelled()
  await uncancelSubscription(seller.db, first.command('stay', '2026-05-20T12:00:00Z'))
  assert.deepEqual(await billJune(first.documentId), [
    'recurring 2026-04-16/2026-05-01 5 × 1 = 250',
    'recurring 2026-05-01/2026-06-01 5 × 1 = 500',
    'recurring 2026-06-01/2026-07-01 5 × 1 = 500',
  ])
  const second = await sellCancelled()
  await cancelSubscription(seller.db, second.command('later', '2026-05-20T12:00:00Z'), {
    when: 'date',
    endsOn: '2026-06-01',
    reason: 'moved',
  })
  assert.deepEqual(await billJune(second.documentId), [
    'recurring 2026-04-16/2026-05-01 5 × 1 = 250',
    'recurring 2026-05-01/2026-06-01 5 × 1 = 500',
  ])
})

test('withdrawn where its term ends it, it is billed until then', async () => {
  const { subscriptionId, command } = await sellUsers()
  await setTerm(seller.db, command('term', '2026-04-02T12:00:00Z'), {
    length: { count: 3, unit: 'month' },
    notice: { count: 1, unit: 'month' },
    renewal: 'end',
  })
  await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), {
    when: 'date',
    endsOn: '2026-05-01',
    serviceEndsOn: '2026-06-16',
    reason: 'moved',
  })
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  await uncancelSubscription(seller.db, command('stay', '2026-05-20T12:00:00Z'))
  const billed = await billDue(seller.db, documentId, '2026-06-01T00:00:00Z')
  assert.deepEqual((await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')).toSorted(), [
    'recurring 2026-05-01/2026-06-01 5 × 1 = 500',
    'recurring 2026-06-01/2026-07-01 5 × 1 = 500',
  ])
})

test('a cancellation names no day that is past, and service does not end before billing', async () => {
  const { command } = await sellUsers()
  const cancel = async (dates: { endsOn: string; serviceEndsOn?: string }) =>
    await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), {
      when: 'date',
      reason: 'moved',
      ...dates,
    })
  await assert.rejects(cancel({ endsOn: '2026-04-11' }), { code: 'date_range_invalid' })
  await assert.rejects(cancel({ endsOn: '2026-05-11', serviceEndsOn: '2026-05-10' }), {
    code: 'date_range_invalid',
  })
})

test('a subscription that is cancelled for later can still be cancelled for today', async () => {
  const { subscriptionId, command } = await sellUsers()
  await cancelSubscription(seller.db, command('end', '2026-04-12T12:00:00Z'), periodEnd)
  await cancelSubscription(seller.db, command('now', '2026-04-15T12:00:00Z'), {
    when: 'now',
    reason: 'moved',
  })
  assert.deepEqual(await listLines(subscriptionId), ['5 from 2026-04-01 to 2026-04-15'])
})

test('a planned line that was billed a moment before it is replaced is credited, not lost', async () => {
  const { subscriptionId, command, change } = await sellUsers()
  await changeSubscription(seller.db, command('down', '2026-04-10T12:00:00Z'), change('3'))
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  await changeSubscription(seller.db, command('up', '2026-04-30T23:59:59Z'), change('8'))
  assert.deepEqual(await listLines(subscriptionId), [
    '5 from 2026-04-01 to 2026-04-30',
    '8 from 2026-04-30 to open',
    '3 from 2026-05-01 to 2026-05-01',
  ])
  const billed = await billDue(seller.db, documentId, '2026-06-01T00:00:00Z')
  assert.deepEqual((await listInvoiceLines(seller.db, billed.invoiceNumber ?? '')).toSorted(), [
    'credit 2026-04-30/2026-05-01 5 × 1 = -17',
    'credit 2026-05-01/2026-06-01 3 × 1 = -300',
    'recurring 2026-04-30/2026-05-01 8 × 1 = 27',
    'recurring 2026-05-01/2026-06-01 8 × 1 = 800',
    'recurring 2026-06-01/2026-07-01 8 × 1 = 800',
  ])
})

test('a subscription that was never active ends without a day', async () => {
  const { subscriptionIds } = await seller.order({ kit: 'odoo-config-1' })
  const [subscriptionId = ''] = subscriptionIds
  const command = { subscriptionId, requestId: 'end', actor: 'test', now: '2026-02-01T00:00:00Z' }
  await cancelSubscription(seller.db, command, periodEnd)
  const lines = await seller.db
    .selectFrom('subscription_lines')
    .select(['starts_on', 'ends_on'])
    .where('subscription_id', '=', subscriptionId)
    .execute()
  assert.ok(lines.every((line) => line.starts_on === null && line.ends_on === null))
})

test('activation counts from the day in the customer’s time zone, once', async () => {
  const { subscriptionIds } = await seller.order({
    kit: 'odoo-config-2',
    testClockId: await seller.clock('2026-04-01T00:00:00Z'),
  })
  const [subscriptionId = ''] = subscriptionIds
  await setTimeZone('Pacific/Auckland')
  await activateSubscription(seller.db, subscriptionId, '2026-04-01T20:00:00Z')
  await activateSubscription(seller.db, subscriptionId, '2026-04-05T20:00:00Z')
  await setTimeZone('UTC')
  assert.deepEqual(await listLines(subscriptionId), ['1 from 2026-04-02 to open'])
  assert.equal(await countEvents(subscriptionId, 'subscription.activated'), 1)
})

async function setTimeZone(timeZone: string): Promise<void> {
  await seller.db
    .updateTable('customers')
    .set({ time_zone: timeZone })
    .where('code', '=', 'harbour-bakery')
    .execute()
}

test('moving to the phase where it stands tells nothing', async () => {
  const { subscriptionId } = await sellUsers()
  const to = {
    phase: 'suspended',
    event: 'subscription.suspended',
    suspendedReason: 'unpaid',
    now: '2026-04-05T00:00:00Z',
  } as const
  await setPhase(seller.db, subscriptionId, to)
  await setPhase(seller.db, subscriptionId, to)
  assert.equal(await countEvents(subscriptionId, 'subscription.suspended'), 1)
})

test('what is not parked any more has no open task', async () => {
  const { subscriptionId } = await sellUsers()
  const now = '2026-04-05T00:00:00Z'
  await openTask(seller.db, {
    kind: 'build_failed',
    subjectKind: 'subscription',
    subjectId: subscriptionId,
    subject: 'stuck',
    detail: 'port taken',
  })
  await setParked(seller.db, subscriptionId, { reason: 'port_taken_on_server', now })
  await setParked(seller.db, subscriptionId, { reason: null, now })
  const open = await seller.db
    .selectFrom('tasks')
    .select('id')
    .where('subject_id', '=', subscriptionId)
    .where('closed_at', 'is', null)
    .execute()
  assert.deepEqual(open, [])
})

test('a subscription that is not there is refused as such', async () => {
  await assert.rejects(readAgenda(seller.db, newId(), '2026-04-05T00:00:00Z'), {
    code: 'subscription_unknown',
  })
})
