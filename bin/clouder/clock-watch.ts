import { setTimeout as sleep } from 'node:timers/promises'
import type { Event, Invoice, Subscription, TestClock } from './answers.ts'
import { instantText, moneyText } from './format.ts'
import type { Session } from './session.ts'
import { createWaiting } from './waiting.ts'

export interface ClockEnd {
  readonly clock: TestClock
  readonly invoices: Invoice[]
  /** Ids of subscriptions. */
  readonly ended: string[]
  /** What is parked now, whenever that was. */
  readonly parked: string[]
}

type Found = Pick<ClockEnd, 'invoices' | 'ended'>

interface EventPage {
  readonly data: Event[]
  readonly has_more: boolean
}

const lookAgainMs = 400
const instantWidth = '2026-01-31 09:00 UTC'.length
/** An event is listed once every older transaction has ended, which may be a moment after the clock stands. */
const looksAfterTheEnd = 3

/** The place in the order of events from which something is followed; undefined where there is none yet. */
export async function newestEvent({ api }: Session): Promise<string | undefined> {
  return (await api.get<EventPage>('/v1/events', { limit: '1' })).data[0]?.id
}

/** Tells what happens on a test clock until it stands and all that lives on it has done its work. */
export async function followClock(
  session: Session,
  from: { id: string; after: string | undefined },
  stopped: AbortSignal,
): Promise<ClockEnd> {
  const { api, out } = session
  const waiting = createWaiting(out)
  const isOnClock = createClockTest(session, from.id)
  const found: Found = { invoices: [], ended: [] }
  let { after } = from
  for (let looksLeft = looksAfterTheEnd; ;) {
    stopped.throwIfAborted()
    const clock = await api.get<TestClock>(`/v1/test-clocks/${from.id}`)
    const events = await readEvents(session, after)
    after = events.at(-1)?.id ?? after
    for (const event of events) {
      const line = (await isOnClock(event)) ? await note(session, event, found) : undefined
      if (line !== undefined) waiting.line(`  ${businessTime(event)}  ${line}`)
    }
    if (!clock.is_advancing) looksLeft -= 1
    if (looksLeft === 0) {
      waiting.end()
      return { clock, ...found, parked: await listParked(session, clock.id) }
    }
    waiting.waitFor(`now ${instantText(clock.now)}, on its way to ${instantText(clock.target)}`)
    await sleep(lookAgainMs, undefined, { signal: stopped })
  }
}

/** As it stands, not as it was told: another command's long transaction may hold the newest events back. */
async function listParked({ api }: Session, clockId: string): Promise<string[]> {
  const { rows } = await api.list<Subscription>('/v1/subscriptions', { parked: 'true' }, Infinity)
  return rows.filter((row) => row.test_clock === clockId).map(({ id }) => id)
}

/** By the test clock; what the server did in between has no time of its own there. */
function businessTime({ business_at: businessAt }: Event): string {
  return businessAt === null ? ' '.repeat(instantWidth) : instantText(businessAt)
}

async function readEvents({ api }: Session, after: string | undefined): Promise<Event[]> {
  // With `before`, the events that came after that one, newest first on each page.
  const page = await api.get<EventPage>('/v1/events', { limit: '100', before: after })
  return page.data.toReversed()
}

/** Events of every clock come in one line: only those of subscriptions on this one are told. */
function createClockTest({ api }: Session, clockId: string): (event: Event) => Promise<boolean> {
  const known = new Map<string, Promise<Subscription>>()
  return async ({ subscription }) => {
    if (subscription === null) return false
    const read = known.get(subscription) ?? api.get<Subscription>(`/v1/subscriptions/${subscription}`)
    known.set(subscription, read)
    return (await read).test_clock === clockId
  }
}

/** One line for what a person wants to know of; the rest stays in the timeline. */
async function note({ api }: Session, event: Event, found: Found): Promise<string | undefined> {
  const { subscription } = event
  if (event.kind === 'invoice.finalized' && event.invoice !== null) {
    // Each subscription on an invoice has the event in its timeline; the invoice is told of once.
    if (found.invoices.some(({ id }) => id === event.invoice)) return undefined
    const invoice = await api.get<Invoice>(`/v1/invoices/${event.invoice}`)
    found.invoices.push(invoice)
    return `invoice ${invoice.number ?? ''}  ${moneyText(invoice.total)}  ${invoice.customer.name}`
  }
  if (subscription === null) return undefined
  if (event.kind === 'subscription.ended') {
    found.ended.push(subscription)
    return `ended    ${subscription}`
  }
  if (event.kind === 'subscription.parked') return `parked   ${subscription}: a task says why`
  return ['unbuild.started', 'unbuild.done'].includes(event.kind)
    ? `${event.kind.replace('.', ' ')}  ${subscription}`
    : undefined
}
