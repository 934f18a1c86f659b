import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import fc from 'fast-check'
import { changeSubscription } from '#db/plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { command, useLate } from '#test/support/books.ts'
import { advanceClock } from '#test/support/clock-hand.ts'
import { listInvoiceLines } from '#test/support/invoices.ts'
import { holds } from '#test/support/property.ts'
import { pushUsage, type Seller } from '#test/support/seller.ts'
import { createStorySeller } from './story-catalog.ts'

let seller: Seller
before(async () => {
  seller = await createStorySeller(0)
})
after(async () => seller.drop())

type Deed = (subscriptionId: string) => Promise<void>

const now = '2028-02-10T12:00:00Z'

/** A change of the users or of the e-mail accounts of Config 1, on one day. */
function changeTo(position: number, quantity: number): Deed {
  return async (subscriptionId) => {
    const lines = await seller.db
      .selectFrom('subscription_lines')
      .select('id')
      .where('subscription_id', '=', subscriptionId)
      .where('position', '=', position)
      .where('starts_on', '<=', '2028-02-10')
      .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>', '2028-02-10')]))
      .execute()
    const change = { subscriptionLineId: lines[0]?.id ?? '', quantity: String(quantity) }
    const key = command(subscriptionId, `${position} to ${quantity}`, now)
    await changeSubscription(seller.db, key, change).catch((error: unknown) => {
      if (!(error instanceof BusinessError && error.code === 'quantity_unchanged')) throw error
    })
  }
}

const use: Deed = async (subscriptionId) =>
  pushUsage(seller.db, { subscriptionId, metric: 'network', quantity: '2.5', occurredAt: now })
const useTooLate: Deed = async (subscriptionId) => useLate(seller.db, subscriptionId, '2028-01-20T00:00:00Z')

/** What the next two invoices say after the deeds of a day, in their order. */
async function billedAfter(deeds: readonly Deed[]): Promise<string[]> {
  const start = '2028-01-15T09:00:00Z'
  const clock = await seller.clock(start)
  const id = await seller.sell({ kit: 'odoo-config-1', testClockId: clock, now: start })
  await advanceClock(seller.db, clock, '2028-02-15T00:00:00Z')
  for (const deed of deeds) await deed(id)
  await advanceClock(seller.db, clock, '2028-04-15T00:00:00Z')
  const invoices = await seller.db
    .selectFrom('invoices')
    .select(['number', 'total_minor'])
    .where('test_clock_id', '=', clock)
    .orderBy('id')
    .execute()
  const lines = await Promise.all(
    invoices.map(async ({ number }) => listInvoiceLines(seller.db, number ?? '')),
  )
  return invoices.flatMap(({ total_minor }, index) => [`${total_minor}`, ...(lines[index] ?? []).toSorted()])
}

const positions = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
  .chain(([users, accounts]) =>
    fc
      .shuffledSubarray(['users', 'accounts', 'use', 'late'], { minLength: 4 })
      .map((order) => ({ users, accounts, order })),
  )

test('in whatever order different things change on a day, the invoices are the same', async (t) => {
  await holds(t, 12, [positions], async ({ users, accounts, order }) => {
    const [first = 0, , , last = 0] = await linePositions()
    const deeds: Readonly<Record<string, Deed>> = {
      users: changeTo(first, users),
      accounts: changeTo(last, accounts),
      use,
      late: useTooLate,
    }
    const inOrder = Object.values(deeds)
    const shuffled = order.flatMap((name) => deeds[name] ?? [])
    assert.deepEqual(await billedAfter(shuffled), await billedAfter(inOrder))
  })
})

test('of several changes of a line on a day, the last counts', async (t) => {
  await holds(
    t,
    12,
    [fc.uniqueArray(fc.integer({ min: 6, max: 40 }), { minLength: 2, maxLength: 4 })],
    async (quantities) => {
      const [first = 0] = await linePositions()
      const growing = quantities.toSorted((one, other) => one - other)
      const all = await billedAfter(growing.map((quantity) => changeTo(first, quantity)))
      const last = await billedAfter([changeTo(first, growing.at(-1) ?? 0)])
      assert.deepEqual(all, last)
    },
  )
})

async function linePositions(): Promise<number[]> {
  const clock = await seller.clock('2028-01-15T09:00:00Z')
  const id = await seller.sell({ kit: 'odoo-config-1', testClockId: clock, now: '2028-01-15T09:00:00Z' })
  const rows = await seller.db
    .selectFrom('subscription_lines')
    .select('position')
    .where('subscription_id', '=', id)
    .orderBy('position')
    .execute()
  return rows.map(({ position }) => position)
}
