import assert from 'node:assert/strict'
import { billOpening, billPeriod } from '#db/billing.ts'
import { insertCustomer } from '#db/customer.ts'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { addDays } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { advanceClock, settleSubscription } from '#test/support/clock-hand.ts'
import type { Seller } from '#test/support/seller.ts'
import { foresee, newestInvoiceId, readBills } from './foreseen.ts'
import { carryOut } from './story-events.ts'
import type { LifeStory } from './story-generator.ts'

/** A customer's life with us on a test clock, as far as it was told. */
export interface Life {
  readonly seller: Seller
  readonly db: Db
  readonly clock: string
  readonly customer: { readonly id: string; readonly code: string }
  readonly subscriptionIds: string[]
  /** The day it is, and the hour at which things happen. */
  today: string
  readonly now: () => string
}

export async function beginLife(seller: Seller, startsAfter: number): Promise<Life> {
  const { db } = seller
  const code = `c${newId().slice(0, 18)}`
  const facts = { name: 'Customer', email: null, address: 'Quay 1, Leeds', currency: 'USD', timeZone: 'UTC' }
  const customerId = await insertCustomer(db, { code, ...facts, priceListId: null })
  const today = addDays('2027-01-01', startsAfter)
  const clock = await seller.clock(`${today}T10:00:00Z`)
  const life: Life = {
    seller,
    db,
    clock,
    customer: { id: customerId, code },
    subscriptionIds: [],
    today,
    now: () => `${life.today}T10:00:00Z`,
  }
  return life
}

/**
 * Tells a story: what happens is carried out or refused, and between it the days pass. Before each day on which something
 * is due, what a preview says of it is written down, and after it must be what was billed.
 */
export async function tell(life: Life, story: LifeStory): Promise<void> {
  for (const { days, event } of story.events) {
    await passDays(life, days)
    try {
      await carryOut(life, event)
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error
    }
    // A command is followed by what is due at once.
    for (const id of life.subscriptionIds) await settleIfAlive(life, id)
  }
  await passDays(life, 75)
}

async function settleIfAlive({ db, now }: Life, subscriptionId: string): Promise<void> {
  const { phase } = await db
    .selectFrom('subscriptions')
    .select('phase')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  if (phase !== 'ended') await settleSubscription(db, subscriptionId, now())
}

async function passDays(life: Life, days: number): Promise<void> {
  const { db, clock } = life
  life.today = addDays(life.today, days)
  await advanceClock(db, clock, life.now(), async (next, step) => {
    const foreseen = await foresee(db, clock, next.slice(0, 10))
    const newest = await newestInvoiceId(db, clock)
    await step()
    const billed = await readBills(db, clock, newest)
    assert.deepEqual(
      Object.fromEntries(billed),
      Object.fromEntries(foreseen),
      `billed on ${next} and foreseen`,
    )
  })
}

/** Whoever bills a period again, or an end, hears what was billed, and makes nothing. */
export async function billAgain({ db, clock, now, subscriptionIds }: Life): Promise<void> {
  const newest = await newestInvoiceId(db, clock)
  const periods = await db
    .selectFrom('billing_periods')
    .innerJoin('subscription_documents as document', 'document.id', 'document_id')
    .leftJoin('invoices', 'invoices.id', 'invoice_id')
    .select(['billing_periods.document_id', 'period_index', 'number'])
    .where('document.test_clock_id', '=', clock)
    .execute()
  for (const { document_id: documentId, period_index: periodIndex, number } of periods) {
    const { invoiceNumber } = await billPeriod(db, { documentId, periodIndex }, now())
    assert.equal(invoiceNumber, number)
  }
  for (const id of subscriptionIds) await billOpening(db, id, now())
  assert.equal(await newestInvoiceId(db, clock), newest)
}

/** All ends, and what is still to come is billed. */
export async function endLife(life: Life): Promise<void> {
  for (const [who] of life.subscriptionIds.entries()) {
    const event = { kind: 'cancel', who, when: 'period_end', after: 0 } as const
    await carryOut(life, event).catch((error: unknown) => {
      if (!(error instanceof BusinessError)) throw error
    })
  }
  // A fixed term ends months later.
  for (let tries = 0; tries < 4 && !(await isOver(life)); tries += 1) await passDays(life, 60)
  assert.ok(await isOver(life), 'whatever was cancelled ends')
}

async function isOver({ db, clock }: Life): Promise<boolean> {
  const going = await db
    .selectFrom('subscriptions')
    .select('id')
    .where('test_clock_id', '=', clock)
    .where('phase', '<>', 'ended')
    .executeTakeFirst()
  return going === undefined
}
