import { z } from '@hono/zod-openapi'
import { checkChain } from '#db/chain-check.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { selfCheckSchema } from '../schemas/self-check.ts'

export function registerSelfCheck(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/self-check',
      permission: 'invoices:read',
      tag: 'Billing',
      summary: 'Compute the hash of every finalized document anew',
      description: 'A row that was changed by force is named with its document and series.',
      query: z.strictObject({
        newest: z.coerce
          .number()
          .int()
          .min(1)
          .max(1_000_000)
          .optional()
          .openapi({ description: 'Only so many of each series; left out: all.' }),
      }),
      result: selfCheckSchema,
    },
    async ({ db, query }) => {
      const { documents, series, broken } = await checkChain(db, query.newest ?? null)
      return {
        documents,
        series,
        broken: broken.map(({ invoiceId, ...found }) => ({
          ...found,
          invoice: invoiceId === null ? null : encodeId('invoice', invoiceId),
        })),
      }
    },
  )
}
