import type { Command } from 'commander'
import type { Kit, Order, OrderPreview, Product, TestClock } from './answers.ts'
import { findClock } from './clock-choice.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { notFoundFailure, usageFailure } from './failure.ts'
import { intervalText, moneyText } from './format.ts'
import { untilInterrupted } from './interruption.ts'
import { gatherPair } from './list.ts'
import { showOne } from './orders.ts'
import { showPlacement } from './server-capacity.ts'
import { withSession, type Session } from './session.ts'
import { nearest } from './suggestion.ts'
import { tellEnd, watchBuild, type Watched } from './watch.ts'

interface OrderOptions {
  readonly customer: string
  readonly quantity: string
  readonly onClock?: string
  readonly startsOn?: string
  readonly purchaseOrder?: string
  readonly discountCode?: string
  readonly option?: Readonly<Record<string, string>>
  readonly field?: Readonly<Record<string, string>>
  readonly link?: Readonly<Record<string, string>>
  readonly externalId?: string
  readonly template?: string
  readonly trial?: boolean
  readonly acceptTerms?: string
  readonly environment?: string
  readonly newEnvironment?: string
  readonly prefix?: string
  readonly watch?: true
  readonly dryRun?: true
  readonly quoteUntil?: string
  readonly server?: string
  readonly into?: string
}

export function registerOrder(program: Command): void {
  program
    .command('order')
    .summary('place an order, and follow its build')
    .description('Places an order for one product or kit. It is built, and billed, from then on by itself.')
    .argument('<product-or-kit>', 'its code or id')
    .requiredOption('--customer <customer>', 'code or id of who orders')
    .option('--quantity <number>', 'how many', '1')
    .option('--on-clock <clock>', 'live by this test clock: its id, number or name')
    .option('--starts-on <date>', 'the first day of service, past or to come')
    .option('--purchase-order <reference>', 'the customer’s own, as it is printed')
    .option('--discount-code <code>', 'such as SPRING-2026')
    .option('--accept-terms <version>', 'the terms of service that the customer accepts')
    .option('--external-id <id>', 'by which another system knows the order')
    .option('--environment <id>', 'the environment of the customer that it goes into')
    .option('--new-environment <name>', 'a new one of this name, such as shop')
    .option('--prefix <prefix>', 'of what runs in the new one; left out, its name')
    .option('--option <code=answer>', 'what is chosen of its options, as often as there are any', gatherPair)
    .option(
      '--field <code=answer>',
      'what is said in its order fields, as often as there are any',
      gatherPair,
    )
    .option(
      '--link <name=instance>',
      'what is built is linked to this instance, as often as there are any',
      gatherPair,
    )
    .option('--server <server>', 'where it is to be, if it can be there')
    .option('--into <subscription>', 'it joins this subscription, instead of making one')
    .option('--template <template>', 'named defaults of the subscription: npx clouder templates')
    .option('--no-trial', 'without the trial of the product, also to somebody who has used it')
    .option('--watch', 'follow the build until the application answers')
    .option('--quote-until <date>', 'a quote until this day; npx clouder orders confirm sells it')
    .option('--dry-run', 'show what would be sold and built; nothing is saved')
    .addHelpText(
      'before',
      `Examples
  npx clouder order static-site --customer harbour-bakery --watch
  npx clouder order odoo-config-1 --customer north-clinic --on-clock demo
  npx clouder order odoo-config-2 --customer north-clinic --dry-run
`,
    )
    .action(
      withSession<[string], OrderOptions>(async (session, { args: [sold], options }) => {
        const body = await toOrder(session, sold, options)
        if (options.dryRun) return await preview(session, body)
        if (options.quoteUntil !== undefined) return await quote(session, body, options.quoteUntil)
        const accepted =
          options.acceptTerms === undefined
            ? {}
            : { accepted_terms: { version: Number(options.acceptTerms) } }
        return await place(session, { ...body, ...accepted }, options)
      }),
    )
}

/** Nothing is sold: it waits to be confirmed. */
async function quote(session: Session, body: object, until: string): Promise<ExitCode> {
  const draft = await session.api.post<Order>('/v1/orders/drafts', { ...body, expires_on: until })
  showOne(session.out, draft)
  session.out.say(`\n  Next  npx clouder orders confirm ${draft.id}`)
  return exitCodes.ok
}

async function toOrder(session: Session, sold: string, options: OrderOptions): Promise<object> {
  const { option = {}, field = {}, link: links = {} } = options
  const sale = { ...(await findSold(session, sold)), quantity: options.quantity }
  const { template, trial } = options
  const agreed = { template, ...(trial === false ? { without_trial: true } : {}) }
  const { into: subscription, server } = options
  const line = { ...sale, options: option, fields: field, links, ...agreed, server, subscription }
  const clock = options.onClock === undefined ? undefined : await findClock(session, options.onClock)
  return {
    customer: options.customer,
    lines: [line],
    channel: 'command_line',
    ...(clock === undefined ? {} : { test_clock: clock.id satisfies TestClock['id'] }),
    ...(options.startsOn === undefined ? {} : { starts: { on: options.startsOn } }),
    ...(options.purchaseOrder === undefined ? {} : { purchase_order_reference: options.purchaseOrder }),
    ...(options.discountCode === undefined ? {} : { discount_code: options.discountCode }),
    ...toEnvironment(options),
    ...(options.externalId === undefined ? {} : { external_id: options.externalId }),
  }
}

function toEnvironment({ environment, newEnvironment: name, prefix }: OrderOptions): object {
  if (name !== undefined && environment !== undefined)
    throw usageFailure('An order goes into one environment.', 'give --environment or --new-environment')
  if (name !== undefined) return { environment: { name, ...(prefix === undefined ? {} : { prefix }) } }
  return environment === undefined ? {} : { environment }
}

/** People say a code; whether it is a product's or a kit's is ours to know. */
async function findSold({ api }: Session, text: string): Promise<{ product: string } | { kit: string }> {
  const address = encodeURIComponent(text)
  if (!text.startsWith('kit_')) {
    const product = await api.find<Product>(`/v1/products/${address}`)
    if (product !== undefined) return { product: product.id }
  }
  const kit = text.startsWith('prod_') ? undefined : await api.find<Kit>(`/v1/kits/${address}`)
  if (kit !== undefined) return { kit: kit.id }
  const known = await Promise.all([
    api.list<Product>('/v1/products', {}, 500),
    api.list<Kit>('/v1/kits', {}, 500),
  ])
  const meant = nearest(
    text,
    known.flatMap(({ rows }) => rows.map(({ code }) => code)),
  )
  throw notFoundFailure(
    `There is no product or kit ${text}.`,
    meant === undefined ? 'npx clouder products   # or: npx clouder kits' : `Did you mean ${meant}?`,
  )
}

async function preview({ api, out }: Session, body: object): Promise<ExitCode> {
  const answer = await api.post<OrderPreview>('/v1/orders/preview', body)
  if (out.isJson) return (out.json(answer), exitCodes.ok)
  for (const { title, lines, build_steps: steps, server, placements } of answer.subscriptions) {
    out.print(out.strong(title))
    out.table(
      ['product', 'quantity', 'unit', 'unit price', 'billed', 'amount'],
      lines.map((line) => [
        line.name,
        line.quantity,
        line.unit,
        line.unit_price ?? line.price_sentence,
        intervalText(line.interval),
        line.billing_type === 'usage' ? 'metered' : moneyText(line.amount),
      ]),
    )
    for (const step of steps) out.print(`  ${server ?? ''}  ${step}`)
    for (const placement of placements) showPlacement(out, placement)
  }
  out.facts([
    ...(answer.starts_on === null ? [] : [['starts', answer.starts_on] as const]),
    ...(answer.discount === null ? [] : [['discount', answer.discount.name] as const]),
    ['now', totalText(answer.due_now)],
    ...answer.recurring.map((total) => [intervalText(total.interval), totalText(total)] as const),
    ...answer.metered.map((sentence) => ['metered', sentence] as const),
    ...answer.waits_for.map(({ detail }) => ['waits for', detail] as const),
  ])
  out.say('\n  Nothing was ordered. Next  the same without --dry-run')
  return exitCodes.ok
}

function totalText({ total, tax }: OrderPreview['due_now']): string {
  return tax.amount_minor === 0 ? moneyText(total) : `${moneyText(total)}, of which tax ${moneyText(tax)}`
}

async function place(session: Session, body: object, options: OrderOptions): Promise<ExitCode> {
  const { api, out } = session
  const order = await api.post<Order>('/v1/orders', body)
  const ids = order.subscriptions.map(({ id }) => id)
  out.say(`  Ordered: ${order.id} of ${order.customer.name}`)
  if (options.watch) return await follow(session, order, ids)
  if (out.isJson) return (out.json(order), exitCodes.ok)
  out.table(
    ['subscription', 'title', 'phase'],
    order.subscriptions.map(({ id, title, phase }) => [id, title, phase]),
  )
  const next = order.waits_for.length === 0 ? `builds watch ${ids[0] ?? ''}` : `orders waits ${order.id}`
  if (order.waits_for.length > 0) out.say(`  Not built yet: ${order.waits_for.join(', ')}.`)
  out.say(`\n  Next  npx clouder ${next}`)
  return exitCodes.ok
}

async function follow(session: Session, order: Order, ids: string[]): Promise<ExitCode> {
  const { out } = session
  const back = () =>
    `\n  The build goes on without you. Come back with  npx clouder builds watch ${ids[0] ?? ''}`
  return await untilInterrupted(session, back, async (stopped) => {
    const ends: Watched[] = []
    for (const subscriptionId of ids) {
      const end = await watchBuild(session, { subscriptionId, kind: 'build' }, stopped)
      ends.push(end)
      if (!out.isJson) tellEnd(session, end)
    }
    if (out.isJson) out.json({ order, subscriptions: ends.map(({ subscription }) => subscription) })
    return ends.find(({ code }) => code !== exitCodes.ok)?.code ?? exitCodes.ok
  })
}
