import { z } from '@hono/zod-openapi'
import type { ProductRow } from '#db/read/product.ts'
import { optionKinds } from '#domain/option.ts'
import { orderFieldKinds, type OrderField } from '#domain/order-field.ts'
import { priceSentence } from '#domain/pricing/sentence.ts'
import { addressField, codeField, nameField, textField } from './common.ts'

const variableField = z
  .string()
  .max(60)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'A variable has letters, digits and underscores')
  .nullish()
  .openapi({ description: 'The application’s variable that it sets.', example: 'DISK_GIB' })

function numberField(pattern: RegExp) {
  // Of a JSON number, too, what it is in digits is looked at.
  return z.union([z.string(), z.number()]).transform(String).pipe(z.string().regex(pattern, 'Not a number'))
}
const boundField = numberField(/^-?\d{1,12}(\.\d{1,10})?$/).nullish()
const countField = numberField(/^(?=.*[1-9])\d{1,12}(\.\d{1,10})?$/)

export const newOptionField = z.strictObject({
  code: codeField(60),
  title: nameField,
  kind: z.enum(optionKinds),
  is_required: z.boolean().default(false),
  variable: variableField,
  product: addressField
    .nullish()
    .openapi({ description: 'What a quantity or a yes sells, at its own price; left out: nothing.' }),
  least: boundField,
  greatest: boundField,
  choices: z
    .array(
      z.strictObject({
        code: codeField(60),
        title: nameField,
        product: addressField.nullish(),
        quantity: countField.default('1'),
        value: z
          .string()
          .max(1000)
          .regex(/^\P{Cc}*$/u, 'One line')
          .nullish(),
      }),
    )
    .max(100)
    .default([]),
})

export const newOrderFieldField = z.strictObject({
  code: codeField(60),
  title: nameField,
  kind: z.enum(orderFieldKinds).openapi({ description: 'A secret is kept encrypted, and never shown.' }),
  is_required: z.boolean().default(false),
  variable: variableField,
  least: boundField,
  greatest: boundField,
  pattern: z.string().min(1).max(200).nullish().openapi({ description: 'Matched by the whole text.' }),
  choices: z.array(nameField).max(100).default([]),
  help: textField(500).min(1).nullish().openapi({ description: 'Shown beside it.' }),
})

const pricedSchema = z.object({
  product: z.string().nullable().openapi({ description: 'Code of what it sells.' }),
  price_sentence: z.string().nullable(),
})

export const optionSchema = pricedSchema.extend({
  code: z.string(),
  title: z.string(),
  kind: z.enum(optionKinds),
  is_required: z.boolean(),
  variable: z.string().nullable(),
  least: z.string().nullable(),
  greatest: z.string().nullable(),
  choices: z.array(
    pricedSchema.extend({
      code: z.string(),
      title: z.string(),
      quantity: z.string(),
      value: z.string().nullable(),
    }),
  ),
})

export const orderFieldSchema = z.object({
  code: z.string(),
  title: z.string(),
  kind: z.enum(orderFieldKinds),
  is_required: z.boolean(),
  variable: z.string().nullable(),
  least: z.string().nullable(),
  greatest: z.string().nullable(),
  pattern: z.string().nullable(),
  choices: z.array(z.string()),
  help: z.string().nullable(),
})

export const newStockField = z.strictObject({
  quantity: numberField(/^\d{1,12}(\.\d{1,10})?$/)
    .nullish()
    .openapi({
      description: 'How many there are, with those that are taken; null: as many as are asked for.',
    }),
  limit_per_customer: countField.nullish().openapi({ description: 'Null: none.' }),
  is_returned: z
    .boolean()
    .optional()
    .openapi({ description: 'Whether what is taken goes back when its subscription ends; at first, yes.' }),
})

export const stockSchema = z.object({
  quantity: z.string().nullable(),
  taken_quantity: z.string(),
  limit_per_customer: z.string().nullable(),
  is_returned: z.boolean(),
})

/** How it is offered, as a request to make it anew says it. */
export function toOfferBody(row: ProductRow): Record<string, unknown> {
  const withoutSentence = (said: object) =>
    Object.fromEntries(Object.entries(said).filter(([name]) => name !== 'price_sentence'))
  return {
    options: toOptionJson(row).map(({ choices, ...option }) => ({
      ...withoutSentence(option),
      choices: choices.map(withoutSentence),
    })),
    order_fields: toOrderFieldJson(row),
  }
}

export function toOptionJson(row: ProductRow): z.input<typeof optionSchema>[] {
  const priced = (productId: string | null) => {
    const sold = productId === null ? undefined : row.option_products[productId]
    return { product: sold?.code ?? null, price_sentence: sold === undefined ? null : priceSentence(sold) }
  }
  return row.options.map((option) => ({
    code: option.code,
    title: option.title,
    kind: option.kind,
    is_required: option.isRequired,
    variable: option.variable,
    ...priced(option.productId),
    least: option.least,
    greatest: option.greatest,
    choices: option.choices.map(({ code, title, productId, quantity, value }) => ({
      code,
      title,
      ...priced(productId),
      quantity,
      value,
    })),
  }))
}

export function toOrderFieldJson(row: ProductRow): z.input<typeof orderFieldSchema>[] {
  return row.order_fields.map(toFieldJson)
}

export function toFieldJson(field: OrderField): z.input<typeof orderFieldSchema> {
  return {
    code: field.code,
    title: field.title,
    kind: field.kind,
    is_required: field.isRequired,
    variable: field.variable,
    least: field.least,
    greatest: field.greatest,
    pattern: field.pattern,
    choices: [...field.choices],
    help: field.help ?? null,
  }
}
