import type { z } from '@hono/zod-openapi'
import { setCostRule } from '#db/cost-rule.ts'
import type { Db, Tx } from '#db/database.ts'
import { getInstallation } from '#db/read/installation.ts'
import {
  listCapacityUses,
  listCostRules,
  listEarnedLines,
  readMarginNames,
  readMarginPlaces,
} from '#db/read/margin.ts'
import { listSuppliedLines, type SuppliedLineRow } from '#db/read/supplied-line.ts'
import { startOfDay } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import { computeMargins, type CostTarget, type MarginGrouping, type MonthRevenue } from '#domain/margin.ts'
import { findByName, monthPeriod, partInMonth } from '#domain/supplied-line.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams } from '../schemas/common.ts'
import { supplierDetailSchema } from '../schemas/expense.ts'
import { newCostRuleSchema } from '../schemas/cost-rule.ts'
import { marginsQuery, marginsSchema } from '../schemas/margin.ts'
import { toSuppliedLineJson } from '../schemas/supplied-line.ts'
import { readSupplier } from './expenses.ts'

/** What a month cost against what it earned. */
export function registerMargins(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/margins',
      permission: 'supplier_invoices:read',
      tag: 'Suppliers',
      summary: 'Cost against revenue of a month, by product, subscription or customer',
      description:
        'What suppliers billed for the days of the month, by rules for servers, subscriptions and products, against the net of invoice lines for those days. A server’s cost is spread by the capacity that its instances took.',
      query: marginsQuery,
      result: marginsSchema,
    },
    async ({ db, query }) => await readMargins(db, query),
  )
  frame.route(
    {
      method: 'put',
      path: '/v1/suppliers/{id}/cost-rules',
      permission: 'supplier_invoices:write',
      tag: 'Suppliers',
      summary: 'Say what lines of a supplier pay for',
      description:
        'By the supplier’s subscription, product, or the whole text of a line: the nearest name holds.',
      params: idParams,
      body: newCostRuleSchema,
      result: supplierDetailSchema,
      refusals: ['product_unknown', 'server_unknown', 'subscription_unknown'],
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const supplierId = await resolveAddress(tx, 'supplier', params.id)
      await carryOutCostRule(tx, supplierId, body, { actor: principal.name, now })
      return await readSupplier(tx, supplierId)
    },
  )
}

export async function readMargins(db: Db, { month, by }: z.output<typeof marginsQuery>) {
  const period = monthPeriod(month)
  const { timeZone } = await getInstallation(db)
  const between = { startAt: startOfDay(timeZone, period.start), endAt: startOfDay(timeZone, period.end) }
  const [lines, rules, earned, uses] = await Promise.all([
    listSuppliedLines(db, period),
    listCostRules(db),
    listEarnedLines(db, period),
    listCapacityUses(db, between),
  ])
  const rulesOf = Map.groupBy(rules, ({ supplierId }) => supplierId)
  const matched = lines.map((line) => ({
    line,
    currency: line.currency,
    amountMinor: partInMonth(line, month),
    target: findByName(rulesOf.get(line.supplierId) ?? [], line)?.target ?? null,
  }))
  const targets = matched.flatMap(({ target }) => (target?.kind === 'subscription' ? [target.id] : []))
  const subscriptions = await readMarginPlaces(db, [
    ...new Set([...targets, ...uses.map(({ subscriptionId }) => subscriptionId)]),
  ])
  const revenues = earned.map((line): MonthRevenue => ({ ...line, amountMinor: partInMonth(line, month) }))
  const margins = computeMargins({ costs: matched, uses, revenues: addUp(revenues), subscriptions }, by)
  return await toMarginsJson(db, {
    month,
    by,
    margins,
    unmatched: matched.filter(({ target }) => target === null),
  })
}

/** One for each place and currency, so that a share is of all that it earns. */
function addUp(revenues: readonly MonthRevenue[]): MonthRevenue[] {
  const groups = Map.groupBy(revenues, (one) =>
    [one.productId, one.subscriptionId, one.customerId, one.currency].join(' '),
  )
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    const amountMinor = group.reduce((sum, one) => sum + one.amountMinor, 0)
    return first === undefined ? [] : [{ ...first, amountMinor }]
  })
}

async function toMarginsJson(
  db: Db,
  read: {
    month: string
    by: MarginGrouping
    margins: ReturnType<typeof computeMargins>
    unmatched: readonly { line: SuppliedLineRow; amountMinor: number }[]
  },
): Promise<z.input<typeof marginsSchema>> {
  const { month, by, margins, unmatched } = read
  const ids = margins.rows.flatMap(({ id }) => id ?? [])
  const [names, servers] = await Promise.all([
    readMarginNames(db, by, ids),
    readMarginNames(
      db,
      'server',
      margins.idle.map(({ serverId }) => serverId),
    ),
  ])
  const money = (amountMinor: number, currency: string) => ({ amount_minor: amountMinor, currency })
  return {
    month,
    by,
    margins: margins.rows.map(({ id, currency, revenueMinor, costMinor, marginMinor }) => ({
      id: id === null ? null : encodeId(by, id),
      name: names.get(id ?? '') ?? null,
      revenue: money(revenueMinor, currency),
      cost: money(costMinor, currency),
      margin: money(marginMinor, currency),
    })),
    idle: margins.idle.map(({ serverId, currency, amountMinor }) => ({
      server: encodeId('server', serverId),
      name: servers.get(serverId) ?? '',
      amount: money(amountMinor, currency),
    })),
    unmatched: unmatched.map(({ line, amountMinor }) => ({
      ...toSuppliedLineJson(line),
      supplier_subscription: line.subscription,
      amount: money(amountMinor, line.currency),
    })),
    totals: margins.totals.map((total) => ({
      currency: total.currency,
      revenue: money(total.revenueMinor, total.currency),
      cost: money(total.costMinor, total.currency),
      unmatched: money(total.unmatchedMinor, total.currency),
      idle: money(total.idleMinor, total.currency),
      margin: money(total.marginMinor, total.currency),
    })),
  }
}

/** @throws `server_unknown`, `subscription_unknown`, `product_unknown`, each at its field */
export async function carryOutCostRule(
  tx: Tx,
  supplierId: string,
  body: z.output<typeof newCostRuleSchema>,
  by: { actor: string; now: string },
): Promise<void> {
  const {
    supplier_subscription: subscription,
    product_code: productCode,
    description,
    pays_for: paysFor,
  } = body
  const name =
    subscription !== undefined
      ? ({ matches: 'subscription', value: subscription } as const)
      : productCode !== undefined
        ? ({ matches: 'product_code', value: productCode } as const)
        : ({ matches: 'description', value: description ?? '' } as const)
  const target = paysFor === null ? null : await resolveTarget(tx, paysFor)
  await setCostRule(tx, { supplierId, ...name, target, ...by })
}

async function resolveTarget(
  tx: Tx,
  paysFor: NonNullable<z.output<typeof newCostRuleSchema>['pays_for']>,
): Promise<CostTarget> {
  const kind =
    (['server', 'subscription', 'product'] as const).find((one) => paysFor[one] !== undefined) ?? 'server'
  const text = paysFor[kind] ?? ''
  const unknown = `${kind}_unknown` as const
  return { kind, id: await resolveField(tx, { kind, text, pointer: `/pays_for/${kind}`, unknown }) }
}
