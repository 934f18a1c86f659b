import type { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { lockSeller, readSeller, updateSeller } from '#db/seller.ts'
import type { NumberPatterns } from '#db/tables/installation.ts'
import { atField, fieldError } from '#domain/errors.ts'
import { checkNumberPattern } from '#domain/invoice/number.ts'
import type { Frame } from '../frame.ts'
import { changeSeller, sellerChangeSchema, sellerSchema, toSellerJson } from '../schemas/seller.ts'

export function registerSeller(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/seller',
      permission: 'seller:read',
      tag: 'Seller',
      summary: 'Read who sells, and how documents are made',
      result: sellerSchema,
    },
    async ({ db }) => toSellerJson(await readSeller(db)),
  )
  frame.route(
    {
      method: 'patch',
      path: '/v1/seller',
      permission: 'seller:write',
      tag: 'Seller',
      summary: 'Change who sells, and how documents are made',
      description:
        'What is left out stays. It holds from now on; finalized documents keep what they were made with.',
      body: sellerChangeSchema,
      result: sellerSchema,
      refusals: ['number_pattern_ambiguous'],
    },
    async ({ transaction, body }) => {
      await patchSeller(transaction(), body)
      return toSellerJson(await readSeller(transaction()))
    },
  )
}

/** What the route does, and the forms of the settings. @throws `number_pattern_ambiguous`, `field_invalid` */
export async function patchSeller(tx: Tx, change: z.output<typeof sellerChangeSchema>): Promise<void> {
  if (change.number_patterns !== undefined) checkNumberPatterns(change.number_patterns)
  await updateSeller(tx, changeSeller(await lockSeller(tx), change))
}

/** Two kinds of documents in one series would meet in its numbers. */
function checkNumberPatterns(patterns: NumberPatterns): void {
  for (const kind of ['invoice', 'credit_note'] as const) {
    const { pattern } = patterns[kind]
    const resetsYearly = pattern.includes('{year}')
    atField(`/number_patterns/${kind}/pattern`, () => checkNumberPattern({ pattern, resetsYearly }))
  }
  const { series } = patterns.invoice
  if (series !== patterns.credit_note.series) return
  throw fieldError(
    '/number_patterns/credit_note/series',
    'number_pattern_ambiguous',
    `Invoices are numbered in ${series} already. Choose another series.`,
  )
}
