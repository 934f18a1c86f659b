import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { billFinal } from '#db/billing.ts'
import { insertCreditNote } from '#db/credit-note.ts'
import { openDatabase } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { changeSubscription } from '#db/plan.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { setPhase } from '#db/subscription.ts'
import { BusinessError } from '#domain/errors.ts'
import { command, firstLineId } from '#test/support/books.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'
import { cutConnections } from './cut.ts'
import { callersOf, persist, readBilled, sellFleet, type SoldDocument } from './fleet.ts'
import { storeUsageEvent } from '#test/support/usage-events.ts'

const dayMs = 86_400_000
const callers = 50

let seller: Seller
let fleet: SoldDocument[]
before(async () => {
  seller = await createSeller({ ports: 2_000 })
  fleet = await sellFleet(seller, 25, 100)
})
after(async () => seller.drop())

/** Upgrades, late usage and cancellations, as they come while bills are made. */
async function disturb(db: Seller['db'], { subscriptionId }: SoldDocument, index: number, now: string) {
  if (index % 5 === 4) {
    const cancel = { when: 'now', reason: 'moved' } as const
    await persist(async () => cancelSubscription(db, command(subscriptionId, 'end', now), cancel))
    await persist(async () => billFinal(db, subscriptionId, now))
    for (const phase of ['unbuilding', 'ended'] as const)
      await persist(async () => setPhase(db, subscriptionId, { phase, now }))
    return
  }
  const change = {
    subscriptionLineId: await persist(async () => firstLineId(db, subscriptionId)),
    quantity: '8',
  }
  await persist(async () => changeSubscription(db, command(subscriptionId, 'up', now), change))
  const event = { subscriptionId, source: 'race', eventId: newId() }
  const occurredAt = new Date(Date.parse(now) - 45 * dayMs).toISOString()
  await persist(async () =>
    storeUsageEvent(db, { ...event, metric: 'network', quantity: '2', unit: 'GiB', occurredAt }, now),
  )
}

test('fifty runs and fifty subscriptions bill the same documents, changes arrive, connections are cut: one invoice a period, and nothing that must never be', async () => {
  const now = new Date().toISOString()
  const applicationName = 'racing'
  const pools = Array.from({ length: 4 }, () =>
    openDatabase(seller.url, { applicationName, maxConnections: 12 }),
  )
  const of = (index: number) => pools[index % pools.length] ?? seller.db
  let isOver = false
  const cutting = (async () => {
    let cuts = 0
    while (!isOver) {
      await sleep(150)
      cuts += await cutConnections(seller.url, applicationName, 0.15)
    }
    return cuts
  })()
  try {
    const racing = Array.from({ length: callers }, async (_, index) => {
      const document = fleet[index % fleet.length]
      assert.ok(document)
      await callersOf(of(index + 1)).bill(document.documentId, now)
    })
    const running = Array.from({ length: callers }, async (_, index) => callersOf(of(index)).run(now))
    const disturbing = fleet.map(async (document, index) => disturb(of(index + 2), document, index, now))
    await Promise.all([...racing, ...running, ...disturbing])
  } finally {
    isOver = true
    assert.ok((await cutting) > 0, 'no connection was cut')
    await Promise.all(pools.map(async (pool) => pool.destroy()))
  }
  await assertInvariants(seller.db)
  const periods = await seller.db
    .selectFrom('billing_periods')
    .select((eb) => ['document_id', eb.fn.countAll<number>().as('count')])
    .groupBy('document_id')
    .execute()
  // Sold a hundred days ago: four periods have begun, of what was cancelled perhaps only those before.
  assert.equal(periods.length, fleet.length)
  const stillOpen = fleet.filter((_, index) => index % 5 !== 4).map(({ documentId }) => documentId)
  for (const { document_id, count } of periods) if (stillOpen.includes(document_id)) assert.equal(count, 4)
  const billed = await readBilled(seller.db)
  assert.equal(new Set(billed).size, billed.length)
})

test('thirty credit notes at once take no more of an invoice than it has', async () => {
  const invoice = await seller.db
    .selectFrom('invoices')
    .select(['id', 'net_minor'])
    .where('kind', '=', 'invoice')
    .orderBy('net_minor', 'desc')
    .executeTakeFirstOrThrow()
  const share = Math.ceil(invoice.net_minor / 7)
  const tries = Array.from({ length: 30 }, async (_, index) => {
    const note = { invoiceId: invoice.id, billingKey: `credit/${index}`, reason: null, actor: 'test' }
    const request = { kind: 'amount', netMinor: share } as const
    try {
      await persist(async () =>
        seller.db
          .transaction()
          .execute(async (tx) => insertCreditNote(tx, { ...note, request, now: new Date().toISOString() })),
      )
      return 'made'
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error
      return error.code
    }
  })
  const answers = Object.groupBy(await Promise.all(tries), (answer) => answer)
  assert.ok((answers['made']?.length ?? 0) <= 7 && (answers['made']?.length ?? 0) >= 1)
  assert.equal((answers['made']?.length ?? 0) + (answers['credit_exceeds_invoice']?.length ?? 0), 30)
  await assertInvariants(seller.db)
})
