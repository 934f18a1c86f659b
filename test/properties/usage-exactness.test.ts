import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { DocumentNotReady } from '#db/bill.ts'
import { billFinal } from '#db/billing.ts'
import type { Db } from '#db/database.ts'
import { billLateUsage } from '#db/late-bill.ts'
import { setPhase } from '#db/subscription.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { sellMetered } from '#test/support/metered.ts'
import { holds } from '#test/support/property.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { storeEvents } from '#test/support/usage-events.ts'
import { reckonUsage } from './usage-reckoning.ts'
import { hourMs, tellUsage, type TakenEvent, type TakenReading, type UsageStory } from './usage-story.ts'

let seller: Seller
before(async () => {
  seller = await createSeller({ ports: 1_000 })
})
after(async () => {
  await assertInvariants(seller.db, { isUnderWay: true })
  await seller.drop()
})

const boundariesMs = ['2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01'].map((day) => Date.parse(day))
const endMs = Date.parse('2026-04-10T12:00:00Z')
const span = { startMs: boundariesMs[0] ?? 0, endMs, boundariesMs: boundariesMs.slice(1) }
/** The last period is open: it holds all up to the closing reading. */
const reckonedBoundariesMs = [...boundariesMs, Infinity]

type Sold = Awaited<ReturnType<typeof sellMetered>>

/** What was stored so far. The first value of a moment stands, whatever comes under its name later. */
class Known {
  readonly readings = new Map<string, TakenReading>()
  readonly events = new Map<string, TakenEvent>()
  readonly #story: UsageStory
  readonly #sold: Sold
  #storedUntilMs = 0

  constructor(story: UsageStory, sold: Sold) {
    this.#story = story
    this.#sold = sold
  }

  async storeUntil(untilMs: number): Promise<void> {
    const isNext = ({ storedAtMs }: { storedAtMs: number }) =>
      storedAtMs > this.#storedUntilMs && storedAtMs <= untilMs
    const readings = this.#story.readings.filter(isNext).map(({ reading }) => reading)
    const events = this.#story.events.filter(isNext).map(({ event }) => event)
    this.#storedUntilMs = untilMs
    await storeReadings(seller.db, this.#sold.instanceId, readings)
    await pushEvents(this.#sold.subscriptionId, events, new Date(untilMs).toISOString())
    for (const reading of readings) {
      const name = `${reading.metric} ${reading.series} ${reading.readAtMs}`
      if (!this.readings.has(name)) this.readings.set(name, reading)
    }
    for (const event of events) this.events.set(event.id, event)
  }

  isReadFrom(metric: string, atMs: number): boolean {
    return this.readings.values().some((reading) => reading.metric === metric && reading.readAtMs >= atMs)
  }
}

/** Ten thousand of them in few statements; the product stores them moment by moment. */
async function storeReadings(db: Db, instanceId: string, readings: readonly TakenReading[]): Promise<void> {
  const instants = readings.map(({ readAtMs }) => new Date(readAtMs).toISOString())
  const given = sql`unnest(${readings.map(({ metric }) => metric)}::text[], ${readings.map(({ series }) => series)}::text[],
      ${readings.map(({ bytes }) => String(bytes))}::numeric[], ${readings.map(({ isOpening }) => isOpening)}::boolean[],
      ${instants}::timestamptz[]) with ordinality as given (metric, series, value, is_opening, read_at, place)`
  await sql`
    insert into reading_series (instance_id, metric, series, unit)
    select distinct ${instanceId}::uuid, given.metric, given.series, 'B' from ${given} on conflict do nothing`.execute(
    db,
  )
  await sql`
    insert into reading_values (series_id, value, is_opening, read_at, sampled_at)
    select series.id, given.value, given.is_opening, given.read_at, given.read_at
    from ${given} join reading_series series on series.instance_id = ${instanceId}
      and series.metric = given.metric and series.series = given.series
    order by place
    on conflict do nothing`.execute(db)
}

async function pushEvents(subscriptionId: string, events: readonly TakenEvent[], now: string): Promise<void> {
  const pushed = events.map(({ id, bytes, occurredAtMs }) => ({
    source: subscriptionId,
    eventId: id,
    subscriptionId,
    metric: 'network',
    quantity: String(bytes),
    unit: 'B',
    occurredAt: new Date(occurredAtMs).toISOString(),
  }))
  await storeEvents(seller.db, pushed, () => now)
}

interface BilledPeriod {
  readonly metric: 'network' | 'disk'
  readonly starts_on: string
  readonly quantities: string[]
  readonly amount_minor: number
}

/** What is billed of each period by now, late lines with it. */
async function readBilled(subscriptionId: string): Promise<BilledPeriod[]> {
  const { rows } = await sql<BilledPeriod>`
    select line.metric, lower(billed.service_period)::text as starts_on, array_agg(billed.quantity::text) as quantities,
      sum(billed.rated_minor)::bigint as amount_minor
    from invoice_lines billed join subscription_lines line on line.id = billed.subscription_line_id
    where billed.subscription_id = ${subscriptionId} and billed.kind in ('usage', 'late_usage')
    group by 1, 2 order by 1, 2`.execute(seller.db)
  return rows
}

const bytesPerGib = 2n ** 30n
/** More decimals than any number of GiB that a byte makes. */
const decimals = 40

/** A decimal of GiB as whole bytes; the test fails where it is none. */
function toBytes(gib: string): bigint {
  const [whole = '', fraction = ''] = gib.split('.')
  const scaled = BigInt(whole + fraction.padEnd(decimals, '0')) * bytesPerGib
  assert.equal(scaled % 10n ** BigInt(decimals), 0n, `${gib} GiB are whole bytes`)
  return scaled / 10n ** BigInt(decimals)
}

/** 1.00 a GiB, rounded half up to the cent. */
function costMinor(bytes: bigint): number {
  return Number((bytes * 200n + bytesPerGib) / (2n * bytesPerGib))
}

async function assertBilled(
  sold: Sold,
  known: Known,
  unread: ReadonlySet<number>,
  periods: number,
): Promise<void> {
  const expected = reckonUsage(
    { readings: [...known.readings.values()], events: [...known.events.values()] },
    reckonedBoundariesMs,
    unread,
  )
  const billed = await readBilled(sold.subscriptionId)
  for (const metric of ['network', 'disk'] as const) {
    const ofMetric = billed.filter((row) => row.metric === metric)
    const bytes = ofMetric.map(({ quantities }) => quantities.reduce((sum, one) => sum + toBytes(one), 0n))
    assert.deepEqual(bytes, expected[metric].slice(0, periods), `${metric} after ${periods} periods`)
    if (metric === 'network')
      assert.deepEqual(
        ofMetric.map((row) => row.amount_minor),
        bytes.map(costMinor),
      )
  }
}

/** A bill two minutes after the boundary; where something is still unread, one more after the grace. */
async function billBoundary(sold: Sold, known: Known, boundaryMs: number): Promise<{ isUnread: boolean }> {
  const soon = boundaryMs + 120_000
  await known.storeUntil(soon)
  const isRead = () => ['network', 'disk'].every((metric) => known.isReadFrom(metric, boundaryMs))
  if (isRead()) {
    await billDue(seller.db, sold.documentId, new Date(soon).toISOString())
    return { isUnread: false }
  }
  await assert.rejects(billDue(seller.db, sold.documentId, new Date(soon).toISOString()), DocumentNotReady)
  const afterGrace = boundaryMs + 6 * hourMs + 1_000
  await known.storeUntil(afterGrace)
  await billDue(seller.db, sold.documentId, new Date(afterGrace).toISOString())
  return { isUnread: !known.isReadFrom('network', boundaryMs) }
}

async function billEnd(sold: Sold, known: Known): Promise<void> {
  const now = new Date(endMs).toISOString()
  const { subscriptionId, testClockId } = sold
  await cancelSubscription(
    seller.db,
    { subscriptionId, requestId: 'end', actor: 'test', now },
    { when: 'now', reason: 'test' },
  )
  await known.storeUntil(endMs)
  await setPhase(seller.db, subscriptionId, { phase: 'unbuilding', now })
  await seller.db.updateTable('test_clocks').set({ now_at: now }).where('id', '=', testClockId).execute()
  await billFinal(seller.db, subscriptionId, now)
}

/** Three months and ten days, billed four times, and what comes after the last bill. */
async function liveAndBill(seed: number): Promise<void> {
  const story = tellUsage(seed, span)
  const sold = await sellMetered(seller, new Date(span.startMs).toISOString())
  const known = new Known(story, sold)
  const unread = new Set<number>()
  for (const [index, boundaryMs] of span.boundariesMs.entries()) {
    const { isUnread } = await billBoundary(sold, known, boundaryMs)
    if (isUnread) unread.add(index + 1)
    await assertBilled(sold, known, unread, index + 1)
  }
  await billEnd(sold, known)
  await assertBilled(sold, known, unread, 4)
  await known.storeUntil(endMs + 60 * 24 * hourMs)
  await billLateUsage(seller.db, { testClockId: sold.testClockId, now: '2026-06-10T00:00:00Z' })
  await assertBilled(sold, known, unread, 4)
}

// Two hundred lives, CLOUDER_TEST_CASES=100, are ten minutes on two processors.
const limitMs = 3_600_000

test(
  'ten thousand readings with gaps, resets, restarts, repetitions, and late ones bill what an own reckoning gives, to the byte',
  { timeout: limitMs },
  async (t) => {
    await holds(t, 2, [fc.noShrink(fc.integer({ min: 0 }))], liveAndBill, { limitMs })
  },
)
