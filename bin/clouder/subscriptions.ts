import { Option, type Command } from 'commander'
import type { Subscription, SubscriptionDetail } from './answers.ts'
import { addCancel } from './cancel.ts'
import { instantText, intervalText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import type { Output } from './output.ts'
import { withSession, type Session } from './session.ts'
import { addChanges, pathOf, sayWaiting } from './subscription-changes.ts'
import { subscriptionPhases } from '#domain/subscription.ts'

type Limit = SubscriptionDetail['instances'][number]['limits'][number]

interface ListOptions {
  readonly limit: number
  readonly phase?: string
  readonly customer?: string
  readonly parked?: true
  readonly limited?: true
  readonly tag?: string
}

export function registerSubscriptions(program: Command): void {
  const group = program
    .command('subscriptions')
    .alias('subscription')
    .summary('list, show, change, suspend, cancel')
    .description('What was sold, through its whole life.')
    .addHelpText(
      'before',
      `Examples
  npx clouder subscriptions --phase active --customer harbour-bakery
  npx clouder subscriptions show sub_…
  npx clouder subscriptions change sub_… odoo-user 6
  npx clouder subscriptions pause sub_… --from 2026-07-01 --until 2026-07-15
  npx clouder cancel sub_…
`,
    )
  addReads(group)
  addChanges(group)
  addCancel(group)
}

function addReads(group: Command): void {
  group
    .command('ls')
    .description('list subscriptions, newest first (what the word alone does)')
    .addOption(new Option('--phase <phase>', 'only those in this phase').choices(subscriptionPhases))
    .option('--customer <customer>', 'only those of this customer: code or id')
    .option('--tag <tag>', 'only those with this tag')
    .option('--limited', 'only those of which a limit is reached')
    .option('--parked', 'only those that wait for an operator')
    .addOption(limitOption())
    .action(withSession<[], ListOptions>(async (session, { options }) => list(session, options)))
  group
    .command('show <subscription>')
    .description('one subscription: lines, instances, builds, what can be asked of it')
    .action(
      withSession<[string]>(async (session, { args: [id] }) => {
        const detail = await session.api.get<SubscriptionDetail>(pathOf(id))
        return session.out.isJson ? session.out.json(detail) : show(session, detail)
      }),
    )
  group
    .command('features <subscription>')
    .description('what is switched on for it, and values')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const path = `${pathOf(id)}/features`
        const { features } = await api.get<{ features: Record<string, boolean | string> }>(path)
        if (out.isJson) return out.json(features)
        out.table(
          ['feature', 'is'],
          Object.entries(features).map(([code, is]) => [
            code,
            is === true ? 'on' : is === false ? 'off' : is,
          ]),
        )
      }),
    )
}

async function list({ api, out }: Session, options: ListOptions): Promise<void> {
  const { phase, customer, tag, limit } = options
  const parked = options.parked === undefined ? undefined : 'true'
  const limited = options.limited === undefined ? undefined : 'true'
  const asked = { phase, customer, tag, parked, limited }
  const found = await api.list<Subscription>('/v1/subscriptions', asked, limit)
  if (out.isJson) return out.json(found.rows)
  out.table(
    ['id', 'title', 'customer', 'phase', 'next invoice', 'ends'],
    found.rows.map((row) => [
      row.id,
      row.title,
      row.customer.code,
      standingText(row),
      row.next_invoice_on,
      row.ends_on,
    ]),
  )
  tellMore(out, found, 'npx clouder order static-site --customer harbour-bakery --watch')
}

function standingText({ phase, parked_reason: parked, limits_reached: reached }: Subscription): string {
  return [phase, ...(parked === null ? [] : ['parked']), ...(reached.length > 0 ? ['limited'] : [])].join(
    ', ',
  )
}

function show({ out }: Session, detail: SubscriptionDetail): void {
  out.facts([
    ['subscription', detail.id],
    ['title', detail.title],
    ...(detail.external_id === null ? [] : [['external id', detail.external_id] as const]),
    ['customer', `${detail.customer.name} (${detail.customer.code})`],
    ['phase', standingText(detail)],
    ...(detail.parked_reason === null ? [] : [['parked', detail.parked_reason] as const]),
    ...(detail.cancel_requested_at === null
      ? []
      : [
          ['cancelled', `${instantText(detail.cancel_requested_at)}: ${detail.cancel_reason ?? ''}`] as const,
        ]),
    ['activated', instantText(detail.activated_at)],
    ['next invoice', detail.next_invoice_on],
    ['ends', detail.ends_on],
    ...(detail.term_ends_on === null
      ? []
      : [['term', `until ${detail.term_ends_on}, ${(detail.term_state ?? '').replace('_', ' ')}`] as const]),
    ['test clock', detail.test_clock],
    ...detail.waiting_changes.map((change) => ['waits', sayWaiting(change)] as const),
    ...detail.instances
      .filter((instance) => instance.destroyed_at === null)
      .map(({ address, name }) => ['address', address ?? `${name}: none yet`] as const),
    ['Temporal', detail.workflow.url],
  ])
  out.print('')
  out.table(
    ['line', 'product', 'type', 'quantity', 'unit price', 'billed', 'from', 'to'],
    detail.lines.map((line) => [
      line.id,
      line.product,
      line.billing_type,
      `${line.quantity} ${line.unit}`,
      line.unit_price ?? line.price_sentence,
      intervalText(line.interval),
      line.starts_on,
      line.ends_on,
    ]),
  )
  showLimits(out, detail.instances)
  out.print('')
  out.table(
    ['build', 'kind', 'state', 'steps', 'created'],
    detail.builds.map((build) => [
      build.id,
      `${build.kind} ${build.number}`,
      build.state,
      `${build.steps_done}/${build.steps_total}`,
      instantText(build.created_at),
    ]),
  )
  out.say(`\n  Possible now  ${detail.allowed_actions.join(', ') || 'nothing'}`)
}

/** What is sold up to a limit, and what of it is used; where a cap of spending is reached, that. */
function showLimits(out: Output, instances: SubscriptionDetail['instances']): void {
  const limits = instances.filter((one) => one.destroyed_at === null).flatMap((one) => one.limits)
  if (limits.length === 0) return
  out.print('')
  out.table(
    ['limit', 'sold', 'in force', 'used', 'standing'],
    limits.map((limit) => [
      limit.code,
      [limit.sold_quantity, limit.unit].filter(Boolean).join(' '),
      limit.in_force_quantity,
      limit.used_quantity,
      limitText(limit),
    ]),
  )
}

function limitText({ reached_at: reachedAt, enforcement, hold }: Limit): string {
  if (reachedAt === null) return 'not reached'
  const since = `reached since ${instantText(reachedAt)}`
  if (hold === null) return enforcement === 'soft' ? `${since}, a warning only` : since
  const way = hold.way.replaceAll('_', ' ')
  return `${since}, ${way}${hold.held_at === null ? (hold.failure === null ? ': under way' : `: ${hold.failure}`) : ''}`
}
