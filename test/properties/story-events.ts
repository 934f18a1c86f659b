import { insertCreditNote } from '#db/credit-note.ts'
import { insertDiscount, takeDiscount } from '#db/discount.ts'
import { newId } from '#db/identifier.ts'
import { voidInvoice } from '#db/invoice-mark.ts'
import { insertOneOffCharge } from '#db/one-off-charge.ts'
import { pauseSubscription, resumeLines, unpauseSubscription } from '#db/pause.ts'
import { changeSubscription } from '#db/plan.ts'
import { applyRevision, planRevision } from '#db/price-revision.ts'
import { reissueInvoice } from '#db/reissue.ts'
import { setTerm } from '#db/renewal.ts'
import { cancelSubscription, uncancelSubscription } from '#db/subscription-command.ts'
import { addDays } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { command, payAll } from '#test/support/books.ts'
import type { StoryEvent } from './story-generator.ts'
import type { Life } from './story-player.ts'
import { storeUsageEvent } from '#test/support/usage-events.ts'

/** Does what is asked, as the API and the workflows do. @throws BusinessError where it is refused */
export async function carryOut(life: Life, event: StoryEvent): Promise<void> {
  switch (event.kind) {
    case 'sell':
      return await sell(life, { product: event.product, quantity: String(event.quantity) })
    case 'sellKit':
      return await sell(life, { kit: event.kit })
    case 'use':
      return await use(life, event)
    case 'oneOff':
      return await chargeOnce(life, event)
    case 'discount':
      return await discount(life, event)
    case 'revise':
      return await revise(life, event)
    case 'pay':
      return await payAll(life.db, life.clock, life.now())
    case 'credit':
      return await credit(life, event)
    case 'void':
      return await annul(life, event)
    case 'change':
    case 'pause':
    case 'unpause':
    case 'resume':
    case 'cancel':
    case 'uncancel':
    case 'term':
      return await instruct(life, event)
  }
}

async function sell(life: Life, what: { product?: string; kit?: string; quantity?: string }): Promise<void> {
  const order = { ...what, customer: life.customer.code, testClockId: life.clock, now: life.now() }
  life.subscriptionIds.push(await life.seller.sell(order))
}

type Instruction = Extract<
  StoryEvent,
  { kind: 'change' | 'pause' | 'unpause' | 'resume' | 'uncancel' | 'cancel' | 'term' }
>

/** A command to one of the subscriptions; those that are over take none. */
async function instruct(life: Life, event: Instruction): Promise<void> {
  const { db, today } = life
  const { id, phase } = await subscriptionOf(life, event.who)
  if (phase !== 'active' && !(phase === 'suspended' && event.kind !== 'pause' && event.kind !== 'unpause'))
    return
  const key = command(id, newId(), life.now())
  switch (event.kind) {
    case 'change':
      return await changePlan(life, key, event)
    case 'pause': {
      const startsOn = addDays(today, event.after)
      const endsOn = event.days === null ? undefined : addDays(startsOn, event.days)
      return await pauseSubscription(db, key, { startsOn, endsOn, reason: null })
    }
    case 'unpause':
      return await unpauseSubscription(db, key)
    case 'resume': {
      if (phase !== 'suspended') return
      await resumeLines(db, key)
      await db
        .updateTable('subscriptions')
        .set({ phase: 'active', suspended_reason: null })
        .where('id', '=', id)
        .execute()
      return
    }
    case 'cancel': {
      const endsOn = event.when === 'date' ? addDays(today, event.after) : undefined
      return await cancelSubscription(db, key, { when: event.when, reason: 'moved', endsOn })
    }
    case 'uncancel':
      return await uncancelSubscription(db, key)
    case 'term': {
      const length = { count: event.months, unit: 'month' } as const
      return await setTerm(db, key, { length, renewal: event.renewal, notice: { count: 1, unit: 'week' } })
    }
  }
}

async function subscriptionOf({ db, subscriptionIds }: Life, who: number) {
  const id = subscriptionIds[who % Math.max(1, subscriptionIds.length)]
  if (id === undefined) throw new BusinessError('subscription_unknown', 'Nothing was sold yet.')
  return await db
    .selectFrom('subscriptions')
    .select(['id', 'phase', 'cancel_requested_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}

async function changePlan(
  { db, today }: Life,
  key: ReturnType<typeof command>,
  event: Extract<StoryEvent, { kind: 'change' }>,
): Promise<void> {
  const lines = await db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', key.subscriptionId)
    .where('starts_on', '<=', today)
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>', today)]))
    .orderBy('position')
    .orderBy('id')
    .execute()
  const line = lines[event.quantity % Math.max(1, lines.length)]
  if (!line) return
  const product =
    event.product === null
      ? undefined
      : await db
          .selectFrom('products')
          .select('id')
          .where('code', '=', event.product)
          .executeTakeFirstOrThrow()
  await changeSubscription(db, key, {
    subscriptionLineId: line.id,
    quantity: String(event.quantity),
    ...(product ? { productId: product.id } : {}),
    ...(event.later === null ? {} : { startsOn: addDays(today, event.later) }),
  })
}

async function use(life: Life, event: Extract<StoryEvent, { kind: 'use' }>): Promise<void> {
  const { id, phase } = await subscriptionOf(life, event.who)
  if (phase === 'ended') return
  const pushed = { subscriptionId: id, source: 'story', eventId: newId() }
  const quantity = (event.quantity / 4).toFixed(2)
  const occurredAt = `${addDays(life.today, -event.ago)}T09:00:00Z`
  const used = { ...pushed, metric: event.metric, quantity, unit: 'GiB', occurredAt }
  await storeUsageEvent(life.db, used, life.now())
}

async function chargeOnce(life: Life, event: Extract<StoryEvent, { kind: 'oneOff' }>): Promise<void> {
  await insertOneOffCharge(life.db, {
    customerId: life.customer.id,
    subscriptionId: null,
    testClockId: life.clock,
    productId: null,
    currency: 'USD',
    description: 'Extra work',
    quantity: '1',
    unit: 'piece',
    price: perUnitPrice((event.cents / 100).toFixed(2)),
    taxCategory: 'standard',
    reference: null,
    chargedOn: addDays(life.today, event.after),
  })
}

async function discount(life: Life, event: Extract<StoryEvent, { kind: 'discount' }>): Promise<void> {
  const id = await insertDiscount(life.db, {
    code: null,
    name: 'Discount',
    percent: event.percent,
    amount: event.percent === null ? { amountMinor: 1_234, currency: 'USD' } : null,
    scope: event.scope,
    productId: null,
    periodCount: event.periods,
    startsOn: null,
    endsOn: null,
    maximumUses: 1,
    isOncePerCustomer: true,
  })
  const taken = { customerId: life.customer.id, subscriptionIds: [null], startsOn: life.today, pointer: '' }
  await life.db.transaction().execute(async (tx) => takeDiscount(tx, id, taken))
}

/** All prices of the customer, from a day on. */
async function revise(life: Life, event: Extract<StoryEvent, { kind: 'revise' }>): Promise<void> {
  const request = {
    revision: { percent: event.percent },
    startsOn: addDays(life.today, event.after),
    productId: null,
    subscriptionIds: life.subscriptionIds,
    requestId: newId(),
    actor: 'test',
    now: life.now(),
  }
  await life.db.transaction().execute(async (tx) => {
    await applyRevision(tx, request, await planRevision(tx, request))
  })
}

async function invoiceOf({ db, clock }: Life, which: number): Promise<string> {
  const invoices = await db
    .selectFrom('invoices')
    .select('id')
    .where('test_clock_id', '=', clock)
    .where('kind', '=', 'invoice')
    .orderBy('id')
    .execute()
  const invoice = invoices[which % Math.max(1, invoices.length)]
  if (!invoice) throw new BusinessError('not_found', 'Nothing was billed yet.')
  return invoice.id
}

/** Of its net so many percent, perhaps more than there is, or all that is left. */
async function credit(life: Life, event: Extract<StoryEvent, { kind: 'credit' }>): Promise<void> {
  const invoiceId = await invoiceOf(life, event.which)
  const { net_minor } = await life.db
    .selectFrom('invoices')
    .select('net_minor')
    .where('id', '=', invoiceId)
    .executeTakeFirstOrThrow()
  const request =
    event.share === null
      ? ({ kind: 'full' } as const)
      : ({ kind: 'amount', netMinor: Math.trunc((net_minor * event.share) / 100) } as const)
  const note = {
    invoiceId,
    request,
    billingKey: `credit/${newId()}`,
    reason: null,
    actor: 'test',
    now: life.now(),
  }
  await life.db.transaction().execute(async (tx) => insertCreditNote(tx, note))
}

async function annul(life: Life, event: Extract<StoryEvent, { kind: 'void' }>): Promise<void> {
  const invoiceId = await invoiceOf(life, event.which)
  const now = life.now()
  await life.db.transaction().execute(async (tx) => {
    await voidInvoice(tx, { invoiceId, reason: 'a slip', actor: 'test', now })
  })
  if (!event.isReissued) return
  await life.db.transaction().execute(async (tx) => reissueInvoice(tx, { invoiceId, now }))
}
