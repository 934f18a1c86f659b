import { z } from '@hono/zod-openapi'
import type { Simulation } from '#db/read/simulation.ts'
import { encodeId } from '#domain/identifier.ts'
import type { TurningPoint } from '#domain/invoice/turning-point.ts'
import { moneySchema } from './common.ts'
import { expectedInvoiceSchema, toExpectedInvoiceJson } from './expected-invoice.ts'

const assumedQuantity = z
  .string()
  .regex(/^\d{1,18}(\.\d{1,20})?$/, 'A quantity is a decimal as text, 0 or more')

export const simulationRequestSchema = z
  .strictObject({
    months: z.int().min(1).max(36).openapi({ example: 12 }),
    usage: z
      .record(z.string().max(60), assumedQuantity)
      .refine((usage) => Object.keys(usage).length <= 100, 'At most 100 metrics')
      .optional()
      .openapi({
        description:
          'What each whole period uses, by metric, in the unit of its product; a part of a period uses its days’ share. The code of a limit says how much is wanted of it. Of what is left out only what was measured so far counts.',
        example: { network: '40', users: '7' },
      }),
  })
  .openapi('SimulationRequest')

const turningPointSchema = z
  .object({
    on: z.string(),
    kind: z.enum([
      'limit_crossed',
      'included_used_up',
      'tier_reached',
      'changed',
      'trial_ended',
      'instalments_ended',
      'term_renewed',
      'ended',
    ]),
    subscription_line: z.string().nullable(),
    limit: z.string().nullable(),
    sold: z.string().nullable().openapi({ description: 'The ceiling that is crossed.' }),
    quantity: z
      .string()
      .nullable()
      .openapi({ description: 'What is wanted of a limit, or passed by usage.' }),
    until: z.string().nullable().openapi({ description: 'To what day a term is renewed.' }),
  })
  .openapi('TurningPoint')

export const simulationSchema = z
  .object({
    from: z.string(),
    until: z.string().openapi({ description: 'The last day that was looked at.' }),
    invoices: z.array(expectedInvoiceSchema),
    turning_points: z.array(turningPointSchema).openapi({
      description:
        'What is crossed, changed, renewed and ended; crossings as if a period used its quantity evenly.',
    }),
    total: moneySchema.openapi({ description: 'Of all invoices, less the credit notes.' }),
  })
  .openapi('Simulation')

export function toSimulationJson(simulation: Simulation): z.input<typeof simulationSchema> {
  const { from, until, bills, points, standing } = simulation
  return {
    from,
    until,
    invoices: bills.map((bill) => toExpectedInvoiceJson(bill, standing.subscriptionIds)),
    turning_points: points.map(toTurningPointJson),
    total: {
      amount_minor: bills.reduce((sum, { draft }) => sum + draft.totalMinor, 0),
      currency: standing.currency,
    },
  }
}

function toTurningPointJson(point: TurningPoint): z.input<typeof turningPointSchema> {
  return {
    on: point.on,
    kind: point.kind,
    subscription_line: 'lineId' in point ? encodeId('subscriptionLine', point.lineId) : null,
    limit: 'limit' in point ? point.limit : null,
    sold: 'sold' in point ? point.sold : null,
    quantity: 'used' in point ? point.used : 'quantity' in point ? point.quantity : null,
    until: 'until' in point ? point.until : null,
  }
}
