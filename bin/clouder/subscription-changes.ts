import type { Command } from 'commander'
import { formatCount } from '#api/pages/format.ts'
import type { ChangeRequest, Order, SubscriptionDetail } from './answers.ts'
import { show as showRequest } from './change-requests.ts'
import { notFoundFailure, usageFailure } from './failure.ts'
import { withSession, type Session } from './session.ts'
import { nearest } from './suggestion.ts'

/** What changes a subscription but for its end: see `cancel.ts`. */
export function addChanges(group: Command): void {
  addStops(group)
  addLineActions(group)
  addPlans(group)
}

function addStops(group: Command): void {
  group
    .command('suspend <subscription>')
    .description('stop what runs, keep what it holds')
    .option('--reason <text>', 'why', 'Asked for on the command line.')
    .option('--code <code>', 'by which the reason is lifted again, such as debt or abuse')
    .action(
      withSession<[string], { reason: string; code?: string }>(async (session, { args: [id], options }) => {
        const { reason, code } = options
        const lifting = code === undefined ? '' : ` --code ${code}`
        await ask(
          session,
          id,
          'suspend',
          { reason, ...(code === undefined ? {} : { code }) },
          `npx clouder subscriptions resume ${id}${lifting}`,
        )
      }),
    )
  group
    .command('resume <subscription>')
    .description('lift a reason for which it is suspended, and start it once none is left')
    .option('--code <code>', 'the reason that is gone')
    .action(
      withSession<[string], { code?: string }>(async (session, { args: [id], options: { code } }) =>
        ask(
          session,
          id,
          'resume',
          code === undefined ? {} : { code },
          `npx clouder subscriptions show ${id}`,
        ),
      ),
    )
  group
    .command('uncancel <subscription>')
    .description('take a cancellation back that has not taken effect')
    .action(
      withSession<[string]>(async (session, { args: [id] }) =>
        ask(session, id, 'uncancel', {}, `npx clouder subscriptions show ${id}`),
      ),
    )
  group
    .command('reinstate <subscription>')
    .description('bring back what has ended, while its last backup is kept')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const order = await api.post<Order>(`${pathOf(id)}/reinstate`, {})
        if (out.isJson) return out.json(order)
        out.table(
          ['order', 'subscription', 'title'],
          order.subscriptions.map((sold) => [order.id, sold.id, sold.title]),
        )
      }),
    )
  group
    .command('retry <subscription>')
    .description('try again what parked it, once the cause is gone')
    .action(
      withSession<[string]>(async (session, { args: [id] }) =>
        ask(session, id, 'retry-build', {}, `npx clouder subscriptions show ${id}`),
      ),
    )
  group
    .command('pause <subscription>')
    .description('stop service and billing for some days, and keep the data')
    .option('--from <date>', 'the first day; left out, today')
    .option('--until <date>', 'the first day after it; left out, until it is resumed')
    .option('--reason <text>', 'why')
    .action(
      withSession<[string], PauseOptions>(async (session, { args: [id], options }) => {
        const { from: starts_on, until: ends_on, reason } = options
        await ask(
          session,
          id,
          'pause',
          { starts_on, ends_on, reason },
          `npx clouder subscriptions show ${id}`,
        )
      }),
    )
  group
    .command('unpause <subscription>')
    .description('withdraw a pause that has not begun')
    .action(
      withSession<[string]>(async (session, { args: [id] }) =>
        ask(session, id, 'unpause', {}, `npx clouder subscriptions show ${id}`),
      ),
    )
  group
    .command('stop-line <subscription> <line>')
    .description('end one line, named by its id or its product')
    .option('--on <date>', 'the first day that is not billed; left out, the end of what was billed')
    .action(
      withSession<[string, string], { on?: string }>(async (session, { args: [id, line], options }) => {
        const body = { line: await findLine(session, id, line), ends_on: options.on }
        await ask(session, id, 'stop-line', body, `npx clouder subscriptions show ${id}`)
      }),
    )
}

const lineActions = [
  ['cancel-line', 'withdraw one line as if it had never begun; nothing of it was billed'],
  ['uncancel-line', 'bring a cancelled line back'],
  ['delete-line', 'take a line that was never billed out'],
] as const

/** What else the table of line actions allows; `subscriptions show` says what of it a line takes today. */
function addLineActions(group: Command): void {
  for (const [action, description] of lineActions)
    group
      .command(`${action} <subscription> <line>`)
      .description(description)
      .action(
        withSession<[string, string]>(async (session, { args: [id, line] }) => {
          const body = { line: await findLine(session, id, line) }
          await ask(session, id, action, body, `npx clouder subscriptions show ${id}`)
        }),
      )
  group
    .command('delay-line <subscription> <line> <date>')
    .description('begin a line that was never billed on a later day')
    .action(
      withSession<[string, string, string]>(async (session, { args: [id, line, starts_on] }) => {
        const body = { line: await findLine(session, id, line), starts_on }
        await ask(session, id, 'delay-line', body, `npx clouder subscriptions show ${id}`)
      }),
    )
  group
    .command('plan-successor <subscription> <line> <date>')
    .description('have a line that ends followed by another like it')
    .option('--until <date>', 'the first day after it; left out, it stays open')
    .action(
      withSession<[string, string, string], { until?: string }>(
        async (session, { args: [id, line, starts_on], options }) => {
          const body = { line: await findLine(session, id, line), starts_on, ends_on: options.until }
          await ask(session, id, 'plan-successor', body, `npx clouder subscriptions show ${id}`)
        },
      ),
    )
}

function addPlans(group: Command): void {
  group
    .command('change <subscription> <line> <quantity>')
    .description('sell another quantity of a line, named by its id or its product')
    .option(...whenItFits)
    .action(
      withSession<[string, string, string], WhenItFits>(
        async (session, { args: [id, line, quantity], options }) => {
          const body = { line: await findLine(session, id, line), quantity, ...belowUse(options) }
          await ask(session, id, 'change-plan', body, `npx clouder subscriptions show ${id}`)
        },
      ),
    )
  group
    .command('withdraw-change <subscription> <change>')
    .description('withdraw a change that waits until less is used')
    .action(
      withSession<[string, string]>(async (session, { args: [id, change] }) =>
        ask(session, id, 'withdraw-change', { change }, `npx clouder subscriptions show ${id}`),
      ),
    )
  group
    .command('plan <subscription> <line>')
    .description('sell something else by a line: another product, price, interval or quantity')
    .option('--product <product>', 'another product, or the same at the price of the day')
    .option('--quantity <quantity>', 'another quantity')
    .option('--unit-price <amount>', 'a price per unit that you agreed')
    .option('--every <interval>', 'another interval, such as "3 month"')
    .option('--from <date>', 'the first day; left out, as the terms of the line say')
    .option(...whenItFits)
    .action(
      withSession<[string, string], PlanOptions>(async (session, { args: [id, line], options }) => {
        const body = { line: await findLine(session, id, line), ...planOf(options) }
        await ask(session, id, 'change-plan', body, `npx clouder subscriptions show ${id}`)
      }),
    )
  group
    .command('ask <subscription> <line>')
    .description('ask for a change as the customer would: it is made, or waits for an operator')
    .option('--product <product>', 'another product, or the same at the price of the day')
    .option('--quantity <quantity>', 'another quantity')
    .option('--every <interval>', 'another interval, such as "3 month"')
    .option('--from <date>', 'the first day; left out, as the terms of the line say')
    .option('--message <text>', 'for the operator')
    .action(
      withSession<[string, string], Omit<PlanOptions, 'unitPrice'> & { message?: string }>(
        async (session, { args: [id, line], options: { message, ...options } }) => {
          const body = { line: await findLine(session, id, line), ...planOf(options), message }
          const asked = await session.api.post<ChangeRequest>(`${pathOf(id)}/change-requests`, body)
          showRequest(session, asked)
        },
      ),
    )
  group
    .command('transfer <subscription> <line> <customer>')
    .description('hand a line, or a part of its quantity, to another customer')
    .option('--quantity <quantity>', 'how much of it; left out, all')
    .option('--from <date>', 'the first day on which the other has it; left out, today')
    .action(
      withSession<[string, string, string], { quantity?: string; from?: string }>(
        async (session, { args: [id, line, customer], options }) => {
          const { quantity, from: starts_on } = options
          const body = { line: await findLine(session, id, line), customer, quantity, starts_on }
          await ask(session, id, 'transfer', body, `npx clouder subscriptions show ${id}`)
        },
      ),
    )
  group
    .command('recurrence <subscription> <interval>')
    .description('bill all that recurs by one recurrence, such as "1 quarter", from the next periods on')
    .action(
      withSession<[string, string]>(async (session, { args: [id, interval] }) => {
        const body = { recurrence: readRecurrence(interval) }
        await ask(session, id, 'set-recurrence', body, `npx clouder subscriptions show ${id}`)
      }),
    )
  group
    .command('term <subscription> <length>')
    .description('agree a fixed term, such as "1 year": it is renewed by itself, or ends')
    .option('--notice <length>', 'how long before its end it must be ended', '1 month')
    .option('--end', 'it ends, and so does the subscription')
    .action(
      withSession<[string, string], { notice: string; end?: true }>(
        async (session, { args: [id, length], options }) => {
          const body = {
            length: readRecurrence(length),
            notice: readRecurrence(options.notice),
            renewal: options.end ? 'end' : 'renew',
          }
          await ask(session, id, 'set-term', body, `npx clouder subscriptions show ${id}`)
        },
      ),
    )
}

interface PauseOptions {
  readonly from?: string
  readonly until?: string
  readonly reason?: string
}

/** Of a change to less of a limit than is used. */
const whenItFits = [
  '--when-it-fits',
  'of less than is used: make it once it fits, instead of refusing it',
] as const

interface WhenItFits {
  readonly whenItFits?: true
}

function belowUse({ whenItFits: isToWait }: WhenItFits) {
  return { below_use: isToWait ? 'plan' : undefined }
}

interface PlanOptions extends WhenItFits {
  readonly product?: string
  readonly quantity?: string
  readonly unitPrice?: string
  readonly every?: string
  readonly from?: string
}

function planOf({ product, quantity, unitPrice, every, from, ...options }: PlanOptions) {
  return {
    ...belowUse(options),
    product,
    quantity,
    price: unitPrice === undefined ? undefined : { model: 'per_unit', unit_amount: unitPrice },
    recurrence: every === undefined ? undefined : readRecurrence(every),
    starts_on: from,
  }
}

/** `3 month`, or `month` for one. The server says which units there are. */
export function readRecurrence(text: string): { count: number; unit: string } {
  const match = /^(?:(\d+) +)?([a-z_]+?)s?$/.exec(text.trim())
  if (match) return { count: Number(match[1] ?? 1), unit: match[2] ?? '' }
  throw usageFailure(`${text} is not an interval.`, 'Write a number and a unit, such as "3 month".')
}

/** The line that is sold now: an earlier quantity of the same product has its end. */
async function findLine({ api }: Session, id: string, text: string): Promise<string> {
  const { lines } = await api.get<SubscriptionDetail>(pathOf(id))
  const current = lines.filter(({ ends_on: endsOn }) => endsOn === null)
  const found = lines.find((line) => line.id === text) ?? current.find(({ product }) => product === text)
  if (found !== undefined) return found.id
  const products = current.map(({ product }) => product)
  const meant = nearest(text, products)
  throw notFoundFailure(
    `The subscription has no line ${text}.`,
    meant === undefined ? `Its lines: ${products.join(', ')}` : `Did you mean ${meant}?`,
  )
}

/** Asks an action, and says what it came to. */
export async function ask(
  { api, out }: Session,
  id: string,
  action: string,
  body: object,
  next: string,
): Promise<void> {
  const before = action === 'change-plan' ? await api.get<SubscriptionDetail>(pathOf(id)) : null
  const detail = await api.post<SubscriptionDetail>(`${pathOf(id)}/${action}`, body)
  if (out.isJson) return out.json(detail)
  out.facts([
    ['subscription', detail.id],
    ['done', action],
    ...(before === null ? [] : sayChanges(before.lines, detail.lines)),
    ...detail.waiting_changes.map((change) => ['waits', sayWaiting(change)] as const),
    ['phase', detail.phase],
    ['next invoice', detail.next_invoice_on],
  ])
  out.say(`\n  Next  ${next}`)
}

type Line = SubscriptionDetail['lines'][number]

/** What is sold otherwise than before: a line that ends, and the one in its place. */
function sayChanges(before: readonly Line[], after: readonly Line[]): (readonly [string, string])[] {
  const known = new Map(before.map((line) => [line.id, line]))
  const ended = after.filter((line) => line.ends_on !== (known.get(line.id) ?? line).ends_on)
  const opened = after.filter((line) => !known.has(line.id))
  return [
    ...ended.map((line) => ['until then', `${sold(line)}, to ${line.ends_on ?? ''}`] as const),
    ...opened.map((line) => ['from then on', `${sold(line)}, from ${line.starts_on ?? ''}`] as const),
  ]
}

function sold({ product, quantity, unit, price_sentence: sentence }: Line): string {
  return `${product}: ${formatCount(quantity, unit)}, ${sentence}`
}

export function sayWaiting(change: SubscriptionDetail['waiting_changes'][number]): string {
  const { id, product, from, to, ceiling, limit, used, told_on: toldOn } = change
  return `${id}: ${product} from ${from} to ${to}, once ${ceiling} of ${limit} or fewer are used, now ${used ?? '?'}; told of on ${toldOn}`
}

export function pathOf(id: string): string {
  return `/v1/subscriptions/${encodeURIComponent(id)}`
}
