import { z } from '@hono/zod-openapi'
import type { KitRow } from '#db/read/kit.ts'
import { encodeId } from '#domain/identifier.ts'
import { addressField, codeField, nameField, quantityField } from './common.ts'
import { bodyOf, changeable, effectiveOnField, versionShape } from './version.ts'

export const newKitSchema = z
  .strictObject({
    code: codeField(60),
    name: nameField,
    price_product: addressField.nullish().openapi({
      description:
        'Its price replaces those of the flat and threshold components; usage is billed beside it.',
    }),
    is_hidden: z.boolean().default(false).openapi({ description: 'Not sold in the shop.' }),
    bill_of_materials: z
      .array(
        z.strictObject({
          product: addressField.optional(),
          kit: addressField.optional(),
          quantity: quantityField,
          sequence: z.number().int().min(0).max(10_000),
        }),
      )
      .min(1)
      .max(100)
      .openapi({
        description: 'Each item names a product or a kit. They are built and billed in this sequence.',
      }),
  })
  .openapi('NewKit')

const { code: _code, ...changeableShape } = newKitSchema.shape

export const kitChangeSchema = z
  .strictObject({ ...changeable(changeableShape), effective_on: effectiveOnField })
  .partial()
  .openapi('KitChange')

export const kitSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    version: z.number().int(),
    effective_on: versionShape.effective_on,
    name: z.string(),
    price_product: z.string().nullable().openapi({ description: 'Code.' }),
    bill_of_materials: z.array(
      z.object({
        product: z.string().nullable(),
        kit: z.string().nullable(),
        quantity: z.string(),
        sequence: z.number().int(),
      }),
    ),
    is_hidden: z.boolean(),
    archived_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Kit')

export function toKitJson(row: KitRow): z.input<typeof kitSchema> {
  return {
    id: encodeId('kit', row.id),
    code: row.code,
    version: row.version,
    effective_on: row.effective_on,
    name: row.name,
    price_product: row.price_product_code,
    bill_of_materials: row.bill_of_materials.map((item) => ({
      product: item.product_code,
      kit: item.kit_code,
      quantity: item.quantity,
      sequence: item.sequence,
    })),
    is_hidden: row.is_hidden,
    archived_at: row.archived_at,
    created_at: row.created_at,
  }
}

/** A version as it would be asked for. */
export function toKitBody(row: KitRow): Record<string, unknown> {
  const body = bodyOf(toKitJson(row), newKitSchema.shape)
  const items = toKitJson(row).bill_of_materials.map((item) =>
    Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null)),
  )
  return { ...body, bill_of_materials: items }
}
