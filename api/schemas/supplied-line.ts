import { z } from '@hono/zod-openapi'
import type { SuppliedLineRow } from '#db/read/supplied-line.ts'
import { encodeId } from '#domain/identifier.ts'
import { textField } from './common.ts'

/** By which a line of a supplier is named in a mapping or a rule. */
export const lineNameField = textField(2_000).min(1)

/** A line of a supplier of which nothing is said yet. */
export const suppliedLineFields = {
  supplier: z.object({ id: z.string(), name: z.string() }),
  supplier_invoice: z.string(),
  number: z.string(),
  position: z.number().int(),
  description: z.string(),
  product_code: z.string().nullable(),
}

export function toSuppliedLineJson(line: SuppliedLineRow) {
  return {
    supplier: { id: encodeId('supplier', line.supplierId), name: line.supplierName },
    supplier_invoice: encodeId('supplierInvoice', line.invoiceId),
    number: line.number,
    position: line.position,
    description: line.description,
    product_code: line.productCode,
  }
}
