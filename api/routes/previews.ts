import { z } from '@hono/zod-openapi'
import { previewPlanChange } from '#db/change-preview.ts'
import { readExpectedInvoices } from '#db/read/expected-invoice.ts'
import { readSimulation } from '#db/read/simulation.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { readAddressed, resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { idParams, moneySchema } from '../schemas/common.ts'
import { expectedInvoicesSchema, toExpectedInvoicesJson } from '../schemas/expected-invoice.ts'
import { simulationRequestSchema, simulationSchema, toSimulationJson } from '../schemas/simulation.ts'
import { changePlanSchema } from '../schemas/subscription.ts'
import { toPlanChange } from '../subscription-wishes.ts'

const changePreviewSchema = z
  .object({
    product: z.string(),
    direction: z.enum(['upgrade', 'downgrade']),
    effective_on: z.string().openapi({ description: 'First day of the new terms.' }),
    credit: moneySchema.openapi({ description: 'Net: what is given back of the old terms, 0 or less.' }),
    charge: moneySchema.openapi({ description: 'Net: what the new terms cost on that invoice.' }),
    limit: z
      .object({ instance: z.string(), code: z.string(), from: z.string(), to: z.string() })
      .nullable()
      .openapi({ description: 'What becomes of the ceiling of an instance.' }),
    next_invoice: expectedInvoicesSchema.openapi({ description: 'The first on which the change shows.' }),
  })
  .openapi('ChangePreview')

/** What is to come, computed by what makes it. Nothing is written. */
export function registerPreviews(frame: Frame): void {
  const refusals = ['tax_answer_missing', 'tax_rate_missing'] as const
  frame.route(
    {
      method: 'get',
      path: '/v1/subscriptions/{id}/next-invoice',
      permission: 'invoices:read',
      tag: 'Subscriptions',
      summary: 'Preview the next invoices of a subscription',
      description: 'What the next day with an invoice bills, from what was used so far.',
      params: idParams,
      result: expectedInvoicesSchema,
      refusals,
    },
    async ({ db, params }) =>
      toExpectedInvoicesJson(
        await readAddressed(db, { kind: 'subscription', text: params.id }, async (subscriptionId) =>
          readExpectedInvoices(db, { subscriptionId }),
        ),
      ),
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/documents/{id}/next-invoice',
      permission: 'invoices:read',
      tag: 'Billing',
      summary: 'Preview the next invoice of a document',
      params: idParams,
      result: expectedInvoicesSchema,
      refusals,
    },
    async ({ db, params }) =>
      toExpectedInvoicesJson(
        await readAddressed(db, { kind: 'document', text: params.id }, async (documentId) =>
          readExpectedInvoices(db, { documentId }),
        ),
      ),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/subscriptions/{id}/simulation',
      permission: 'invoices:read',
      tag: 'Subscriptions',
      summary: 'Simulate the next months with assumed usage',
      description:
        'The invoices that a test clock would bring, by the same function, and what is crossed, renewed and ended on the way.',
      params: idParams,
      body: simulationRequestSchema,
      result: simulationSchema,
      effect: 'nothing',
      refusals: [...refusals, 'action_not_allowed', 'metric_unknown', 'simulation_too_large'],
    },
    async ({ db, params, body }) => {
      const subscriptionId = await resolveAddress(db, 'subscription', params.id)
      const assumed = new Map(Object.entries(body.usage ?? {}))
      const simulation = await readSimulation(db, subscriptionId, { months: body.months, assumed })
      if (simulation !== null) return toSimulationJson(simulation)
      throw new BusinessError(
        'action_not_allowed',
        'Nothing of it is billed: it is not active yet, or has ended.',
      )
    },
  )
  registerChangePreview(frame)
}

function registerChangePreview(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/subscriptions/{id}/change-plan/preview',
      permission: 'subscriptions:read',
      tag: 'Subscriptions',
      summary: 'Preview a change: credit, charge, the invoice on which it shows, the instance',
      params: idParams,
      body: changePlanSchema,
      result: changePreviewSchema,
      effect: 'nothing',
      refusals: [
        'action_not_allowed',
        'change_not_allowed',
        'date_range_invalid',
        'price_missing_in_currency',
        'price_negative',
        'product_archived',
        'product_unknown',
        'quantity_invalid',
        'quantity_not_whole',
        'quantity_unchanged',
        'recurrence_invalid',
        'tax_answer_missing',
        'tax_rate_missing',
        'tiers_invalid',
      ],
    },
    async ({ db, params, body, now }) => {
      const subscriptionId = await resolveAddress(db, 'subscription', params.id)
      const { subscriptionLineId, quantity, asked } = await toPlanChange(db, body)
      const change = {
        subscriptionLineId: decodeId('subscriptionLine', subscriptionLineId),
        ...(quantity === undefined ? {} : { quantity }),
        ...asked?.plan,
      }
      return toChangePreviewJson(await previewPlanChange(db, { subscriptionId, change, now }))
    },
  )
}

function toChangePreviewJson(
  preview: Awaited<ReturnType<typeof previewPlanChange>>,
): z.input<typeof changePreviewSchema> {
  const { productCode, direction, effectiveOn, creditMinor, chargeMinor, currency, limit, expected } = preview
  return {
    product: productCode,
    direction,
    effective_on: effectiveOn,
    credit: { amount_minor: creditMinor, currency },
    charge: { amount_minor: chargeMinor, currency },
    limit:
      limit === null
        ? null
        : {
            instance: encodeId('instance', limit.instanceId),
            code: limit.code,
            from: limit.from,
            to: limit.to,
          },
    next_invoice: toExpectedInvoicesJson(expected),
  }
}
