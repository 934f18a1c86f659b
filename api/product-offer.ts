import type { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import type { NewProduct } from '#db/product.ts'
import type { ProductOption } from '#domain/option.ts'
import { resolveField } from './addressing.ts'
import type { newProductSchema } from './schemas/product.ts'

type Body = z.output<typeof newProductSchema>

/** How a product is offered, with the products that it names as rows. @throws `product_unknown` */
export async function toOffer(
  db: Db,
  body: Pick<Body, 'is_hidden' | 'add_on_of' | 'options' | 'order_fields'>,
): Promise<Required<Pick<NewProduct, 'isHidden' | 'addOnOf' | 'options' | 'orderFields'>>> {
  const addOnOf: string[] = []
  for (const [index, text] of body.add_on_of.entries())
    addOnOf.push(await resolveProduct(db, text, `/add_on_of/${index}`))
  const options: ProductOption[] = []
  for (const [index, option] of body.options.entries())
    options.push(await toOption(db, option, `/options/${index}`))
  return {
    isHidden: body.is_hidden,
    addOnOf: [...new Set(addOnOf)],
    options,
    orderFields: body.order_fields.map((field) => ({
      code: field.code,
      title: field.title,
      kind: field.kind,
      isRequired: field.is_required,
      variable: field.variable ?? null,
      least: field.least ?? null,
      greatest: field.greatest ?? null,
      pattern: field.pattern ?? null,
      choices: field.choices,
      ...(field.help == null ? {} : { help: field.help }),
    })),
  }
}

async function toOption(db: Db, option: Body['options'][number], pointer: string): Promise<ProductOption> {
  const choices: ProductOption['choices'][number][] = []
  for (const [index, choice] of option.choices.entries()) {
    choices.push({
      code: choice.code,
      title: choice.title,
      productId: await resolveSold(db, choice.product, `${pointer}/choices/${index}/product`),
      quantity: choice.quantity,
      value: choice.value ?? null,
    })
  }
  return {
    code: option.code,
    title: option.title,
    kind: option.kind,
    isRequired: option.is_required,
    variable: option.variable ?? null,
    productId: await resolveSold(db, option.product, `${pointer}/product`),
    least: option.least ?? null,
    greatest: option.greatest ?? null,
    choices,
  }
}

async function resolveSold(db: Db, text: string | null | undefined, pointer: string): Promise<string | null> {
  return text == null ? null : await resolveProduct(db, text, pointer)
}

async function resolveProduct(db: Db, text: string, pointer: string): Promise<string> {
  return await resolveField(db, { kind: 'product', text, pointer, unknown: 'product_unknown' })
}
