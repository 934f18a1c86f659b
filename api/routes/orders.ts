import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import type { OrderRequest } from '#db/order-context.ts'
import { previewOrder } from '#db/order-preview.ts'
import { placeAgain } from '#db/order-again.ts'
import { confirmOrder } from '#db/order.ts'
import { readOrderDetail } from '#db/read/order-detail.ts'
import type { InstallationKey } from '#db/sealing.ts'
import { getTemplate } from '#db/subscription-template.ts'
import { getOrder, listOrders } from '#db/read/order.ts'
import type { Answers } from '#domain/answers.ts'
import type { AskedTakeOver } from '#db/taken-over.ts'
import type { AskedEnvironment } from '#domain/environment.ts'
import type { ErrorCode } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { OrderRequestLine } from '#domain/order.ts'
import { checkAgreed, type QuotedTotals } from '#domain/quote.ts'
import { applyTemplate, type SubscriptionDefaults } from '#domain/subscription-template.ts'
import type { Acceptance } from '#domain/service-terms.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import { authorize } from '../authentication.ts'
import type { Frame } from '../frame.ts'
import { billElsewhere } from '../permission.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { dispatchOutbox } from '../relay.ts'
import { addressField, idParams } from '../schemas/common.ts'
import {
  orderDetailSchema,
  placeAgainSchema,
  placedAgainSchema,
  toChangesJson,
  toOrderDetailJson,
} from '../schemas/order-detail.ts'
import { toDefaults } from '../schemas/subscription-template.ts'
import type { acceptedTermsField } from '../schemas/service-terms.ts'
import {
  type agreedField,
  newOrderSchema,
  orderPreviewSchema,
  orderSchema,
  toAskedStart,
  toOrderJson,
  toOrderPreviewJson,
} from '../schemas/order.ts'

export const orderRefusals: readonly ErrorCode[] = [
  'addon_not_available',
  'backup_not_restorable',
  'clock_unknown',
  'currency_mismatch',
  'currency_unknown',
  'customer_limit_reached',
  'customer_unknown',
  'date_range_invalid',
  'deployed_elsewhere',
  'discount_code_unknown',
  'discount_code_used_up',
  'external_id_taken',
  'id_kind_mismatch',
  'invoice_field_missing',
  'link_cycle',
  'link_missing',
  'name_invalid',
  'name_taken',
  'no_server_for_application',
  'order_empty',
  'order_too_large',
  'out_of_stock',
  'ports_exhausted',
  'prefix_taken',
  'price_missing_in_currency',
  'product_archived',
  'product_hidden',
  'product_unknown',
  'quantity_invalid',
  'quantity_not_whole',
  'recurrence_invalid',
  'subnets_exhausted',
  'subscription_unknown',
  'tax_answer_missing',
  'tax_rate_missing',
  'template_unknown',
  'trial_used',
]

export function registerOrders(frame: Frame): void {
  const { installationKey } = frame.deps
  registerOrderReads(frame)
  frame.route(
    {
      method: 'post',
      path: '/v1/orders/preview',
      permission: 'orders:read',
      tag: 'Orders',
      summary: 'See what an order would become',
      description: 'Nothing is saved, so no Idempotency-Key is needed. Ordering then gives exactly this.',
      body: newOrderSchema,
      result: orderPreviewSchema,
      effect: 'nothing',
      refusals: orderRefusals,
    },
    async ({ db, body, principal, now }) =>
      toOrderPreviewJson(
        await previewOrder(
          db,
          await toOrderRequest(db, body, { actor: principal.name, now, installationKey }),
        ),
      ),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/orders',
      permission: 'orders:write',
      tag: 'Orders',
      summary: 'Place an order',
      description: 'Confirms it at once: its subscriptions are sold, and their builds begin by themselves.',
      body: newOrderSchema,
      result: orderSchema,
      status: 201,
      location: (order) => `/v1/orders/${order.id}`,
      refusals: [...orderRefusals, 'already_linked', 'price_changed', 'scope_missing', 'terms_not_accepted'],
    },
    async ({ db, transaction, body, principal, now, afterCommit }) => {
      // What is taken over is stopped and removed one day: to name it is a right on the server.
      if (body.take_over !== undefined) authorize(principal, 'servers:write')
      if (body.billed_elsewhere) authorize(principal, billElsewhere)
      const request = await toOrderRequest(db, body, { actor: principal.name, now, installationKey })
      const agreed = toAgreedTotals(body.agreed)
      const { orderId } = await confirmOrder(transaction(), request, {
        accepted: toAcceptance(body.accepted_terms, principal.name),
        checkTotals:
          agreed === null ? undefined : (present, currency) => checkAgreed(agreed, present, currency),
      })
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return toOrderJson(await getOrder(db, orderId), now)
    },
  )
}

/** What a preview showed, as it is said with a confirmation. */
export function toAgreedTotals(agreed: z.output<typeof agreedField>): QuotedTotals | null {
  if (agreed == null) return null
  return { totalNowMinor: agreed.total_now_minor, totalPerPeriodMinor: agreed.total_per_period_minor }
}

/** @param sender who accepted, unless somebody else is named */
export function toAcceptance(
  accepted: z.output<typeof acceptedTermsField> | null | undefined,
  sender: string,
): Acceptance | null {
  return accepted == null ? null : { version: accepted.version, by: accepted.by ?? sender }
}

function registerOrderReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/orders',
      permission: 'orders:read',
      tag: 'Orders',
      summary: 'List orders',
      query: z.strictObject({ ...pageQuery, customer: addressField.optional() }),
      result: pageOf(orderSchema),
      refusals: ['customer_unknown'],
    },
    async ({ db, query, now }) => {
      const page = toPageRequest(query)
      const customerId =
        query.customer === undefined
          ? null
          : await resolveField(db, {
              kind: 'customer',
              text: query.customer,
              pointer: '?customer',
              unknown: 'customer_unknown',
            })
      const rows = await listOrders(db, { ...page, customerId })
      return toPage(rows, page, (row) => toOrderJson(row, now))
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/orders/{id}',
      permission: 'orders:read',
      tag: 'Orders',
      summary: 'Read an order',
      params: idParams,
      result: orderDetailSchema,
    },
    async ({ db, params, now }) =>
      toOrderDetailJson(await readOrderDetail(db, await resolveAddress(db, 'order', params.id)), now),
  )
  registerPlaceAgain(frame)
}

function registerPlaceAgain(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/orders/{id}/place-again',
      permission: 'orders:write',
      tag: 'Orders',
      summary: 'Place an order again: a draft at the prices of today, and what changed',
      params: idParams,
      body: placeAgainSchema,
      result: placedAgainSchema,
      status: 201,
      location: ({ order }) => `/v1/orders/${order.id}`,
      refusals: orderRefusals,
    },
    async ({ db, transaction, params, body, principal, now }) => {
      const id = await resolveAddress(db, 'order', params.id)
      const asked = { actor: principal.name, channel: 'api', now, expiresOn: body.expires_on } as const
      const { draftId, currency, differences } = await placeAgain(transaction(), id, asked)
      return {
        order: toOrderJson(await getOrder(db, draftId), now),
        changes: toChangesJson(differences, currency),
      }
    },
  )
}

/** Codes and ids become rows here; what they may be ordered for is decided by the domain. */
export async function toOrderRequest(
  db: Db,
  body: Omit<
    z.output<typeof newOrderSchema>,
    'agreed' | 'accepted_terms' | 'restore_from' | 'take_over' | 'billed_elsewhere'
  > & {
    restore_from?: string | undefined
    take_over?: z.output<typeof newOrderSchema>['take_over']
    billed_elsewhere?: boolean
  },
  context: { actor: string; now: string; installationKey: InstallationKey | null },
): Promise<OrderRequest> {
  const customer = { kind: 'customer', text: body.customer, pointer: '/customer' } as const
  const clock = { kind: 'testClock', pointer: '/test_clock', unknown: 'clock_unknown' } as const
  return {
    customerId: await resolveField(db, { ...customer, unknown: 'customer_unknown' }),
    lines: await toOrderLines(db, body.lines),
    testClockId: body.test_clock == null ? null : await resolveField(db, { ...clock, text: body.test_clock }),
    currency: body.currency ?? null,
    channel: body.channel,
    starts: toAskedStart(body.starts),
    purchaseOrderReference: body.purchase_order_reference ?? null,
    discountCode: body.discount_code ?? null,
    leastAmount: body.least_amount ?? null,
    greatestAmount: body.greatest_amount ?? null,
    hasOwnAnchor: body.has_own_anchor,
    externalId: body.external_id ?? null,
    environment: await toAskedEnvironment(db, body.environment),
    restoreFromBackupId: await resolveBackup(db, body.restore_from),
    isBilledElsewhere: body.billed_elsewhere ?? false,
    takeOver: body.take_over === undefined ? null : await toTakeOver(db, body.take_over),
    ...context,
  }
}

async function toTakeOver(
  db: Db,
  said: NonNullable<z.output<typeof newOrderSchema>['take_over']>,
): Promise<AskedTakeOver> {
  const server = {
    kind: 'server',
    text: said.server,
    pointer: '/take_over/server',
    unknown: 'not_found',
  } as const
  const application = {
    kind: 'application',
    text: said.application,
    pointer: '/take_over/application',
    unknown: 'application_unknown',
  } as const
  return {
    serverId: await resolveField(db, server),
    applicationId: await resolveField(db, application),
    containers: said.containers,
    volumes: said.volumes,
    hostPort: said.host_port,
  }
}

async function resolveBackup(db: Db, text: string | undefined): Promise<string | null> {
  if (text === undefined) return null
  const field = { kind: 'backup', pointer: '/restore_from', unknown: 'backup_not_restorable' } as const
  return await resolveField(db, { ...field, text })
}

/** Another customer's is refused with the order, where the customer is known. */
export async function toAskedEnvironment(
  db: Db,
  asked: z.output<typeof newOrderSchema>['environment'],
): Promise<AskedEnvironment | null> {
  if (asked == null) return null
  if (typeof asked !== 'string') return { kind: 'new', name: asked.name, prefix: asked.prefix ?? asked.name }
  const field = { kind: 'environment', text: asked, pointer: '/environment', unknown: 'not_found' } as const
  return { kind: 'existing', environmentId: await resolveField(db, field) }
}

export async function toOrderLines(
  db: Db,
  lines: z.output<typeof newOrderSchema>['lines'],
): Promise<OrderRequestLine[]> {
  const resolved: OrderRequestLine[] = []
  for (const [index, line] of lines.entries()) {
    const pointer = `/lines/${index}`
    const joins = await resolveJoined(db, line.subscription, pointer)
    resolved.push({
      ...(await resolveSold(db, line, pointer)),
      quantity: line.quantity,
      externalId: line.external_id,
      joins,
      answers: { options: line.options, fields: line.fields, ...(await resolveLinks(db, line, pointer)) },
      agreed: await toAgreed(db, line, pointer),
      preferredServerId: await resolveServer(db, line.server, pointer),
    })
  }
  return resolved
}

/** @throws `not_found`, `id_kind_mismatch` */
async function resolveLinks(
  db: Db,
  { links }: Line,
  pointer: string,
): Promise<Partial<Pick<Answers, 'links'>>> {
  const named: Record<string, string> = {}
  for (const [name, text] of Object.entries(links)) {
    const place = { pointer: `${pointer}/links/${name}`, unknown: 'not_found' } as const
    named[name] = encodeId('instance', await resolveField(db, { kind: 'instance', text, ...place }))
  }
  return Object.keys(named).length === 0 ? {} : { links: named }
}

/** @throws `template_unknown`, `id_kind_mismatch` */
async function toAgreed(db: Db, line: Line, pointer: string): Promise<SubscriptionDefaults> {
  const own = toDefaults(line)
  const said = line.without_trial ? { ...own, terms: { ...own.terms, trialDays: 0 } } : own
  if (line.template === undefined) return said
  const field = { kind: 'subscriptionTemplate', text: line.template } as const
  const place = { pointer: `${pointer}/template`, unknown: 'template_unknown' } as const
  const { defaults } = await getTemplate(db, await resolveField(db, { ...field, ...place }))
  return applyTemplate(defaults, said)
}

type Line = z.output<typeof newOrderSchema>['lines'][number]

async function resolveJoined(db: Db, text: string | undefined, pointer: string): Promise<string | undefined> {
  if (text === undefined) return undefined
  const field = { kind: 'subscription', text, pointer: `${pointer}/subscription` } as const
  return await resolveField(db, { ...field, unknown: 'subscription_unknown' })
}

async function resolveServer(db: Db, text: string | undefined, pointer: string): Promise<string | null> {
  if (text === undefined) return null
  const field = { kind: 'server', text, pointer: `${pointer}/server`, unknown: 'not_found' } as const
  return await resolveField(db, field)
}

async function resolveSold(
  db: Db,
  line: { product?: string | undefined; kit?: string | undefined },
  pointer: string,
): Promise<{ productId: string } | { kitId: string }> {
  if (line.product !== undefined) {
    const field = { kind: 'product', text: line.product, pointer: `${pointer}/product` } as const
    return { productId: await resolveField(db, { ...field, unknown: 'product_unknown' }) }
  }
  const field = { kind: 'kit', text: line.kit ?? '', pointer: `${pointer}/kit` } as const
  return { kitId: await resolveField(db, { ...field, unknown: 'product_unknown' }) }
}
