import { z } from '@hono/zod-openapi'
import { readCatalog } from '#db/catalog.ts'
import type { Db } from '#db/database.ts'
import { insertKit, type NewKit } from '#db/kit.ts'
import { getKit, listKits } from '#db/read/kit.ts'
import { readSellerToday } from '#db/seller.ts'
import { atField, fieldError, type ErrorCode } from '#domain/errors.ts'
import { explodeKit } from '#domain/kit.ts'
import {
  checkQuantity,
  checkWhole,
  type BillOfMaterialsItem,
  type Catalog,
  type CatalogKit,
} from '#domain/order.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressParams } from '../schemas/common.ts'
import { kitSchema, newKitSchema, toKitJson } from '../schemas/kit.ts'

export function registerKits(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/kits',
      permission: 'kits:read',
      tag: 'Catalog',
      summary: 'List kits',
      query: z.strictObject(pageQuery),
      result: pageOf(kitSchema),
    },
    async ({ db, query, now }) => {
      const page = toPageRequest(query)
      return toPage(await listKits(db, page, await readSellerToday(db, now)), page, toKitJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/kits/{id}',
      permission: 'kits:read',
      tag: 'Catalog',
      summary: 'Read a kit',
      params: addressParams,
      result: kitSchema,
    },
    async ({ db, params, now }) => {
      const id = await resolveAddress(db, 'kit', params.id)
      return toKitJson(await getKit(db, id, await readSellerToday(db, now)))
    },
  )
  registerNewKit(frame)
}

/** What a kit can be refused for when it is made or changed. */
export const kitRefusals: readonly ErrorCode[] = [
  'code_taken',
  'kit_cycle',
  'kit_too_deep',
  'product_unknown',
  'quantity_invalid',
  'quantity_not_whole',
]

function registerNewKit(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/kits',
      permission: 'kits:write',
      tag: 'Catalog',
      summary: 'Create a kit',
      body: newKitSchema,
      result: kitSchema,
      status: 201,
      location: (kit) => `/v1/kits/${kit.id}`,
      refusals: kitRefusals,
    },
    async ({ db, body, now }) => {
      const today = await readSellerToday(db, now)
      const id = await insertKit(db, await toNewKit(db, body, { id: 'new', on: today }))
      return toKitJson(await getKit(db, id, today))
    },
  )
}

/**
 * A kit as it is kept from a day on.
 * @param place.id of the kit, so that none contains itself
 * @throws what `kitRefusals` lists, but a taken code
 */
export async function toNewKit(
  db: Db,
  body: z.output<typeof newKitSchema>,
  place: { id: string; on: string },
): Promise<NewKit> {
  const billOfMaterials: BillOfMaterialsItem[] = []
  for (const [index, item] of body.bill_of_materials.entries()) {
    const pointer = `/bill_of_materials/${index}`
    billOfMaterials.push(await resolveItem(db, item, { pointer, kit: body.code }))
  }
  const catalog = await readCatalog(db, place.on)
  const priceProductId = await resolvePriceProduct(db, body.price_product ?? null, catalog)
  const { code, name } = body
  const kit = { code, name, isHidden: body.is_hidden, priceProductId, billOfMaterials }
  checkNesting({ ...kit, id: place.id, version: 0, isArchived: false }, catalog)
  return kit
}

/**
 * Kits that hold this one must not become too deep by it either; and what is sold in wholes comes to wholes, as no order of
 * the kit could mend it.
 */
function checkNesting(kit: CatalogKit, before: Catalog): void {
  const catalog = { ...before, kits: new Map([...before.kits, [kit.id, kit]]) }
  for (const [index, item] of kit.billOfMaterials.entries()) {
    const pointer = `/bill_of_materials/${index}`
    const alone = { ...kit, priceProductId: null, billOfMaterials: [item] }
    const parts = atField(item.kitId === null ? `${pointer}/product` : `${pointer}/kit`, () =>
      explodeKit(alone, catalog),
    )
    for (const { product, quantity } of parts) checkWhole(product, quantity, `${pointer}/quantity`)
  }
  for (const other of before.kits.values())
    if (!other.isArchived && other.id !== kit.id)
      atField('/bill_of_materials', () => explodeKit(other, catalog))
}

/** Another kind of product could not stand for the others: it is metered, sets a limit, or builds. */
async function resolvePriceProduct(db: Db, text: string | null, catalog: Catalog): Promise<string | null> {
  if (text === null) return null
  const field = { kind: 'product', text, pointer: '/price_product' } as const
  const id = await resolveField(db, { ...field, unknown: 'product_unknown' })
  const product = catalog.products.get(id)
  if (product?.billingType !== 'flat' || product.applicationIds.length > 0) {
    throw fieldError(field.pointer, 'field_invalid', `${text} must be flat and build nothing.`)
  }
  return id
}

/** A kit that names its own code would contain itself once it exists. */
async function resolveItem(
  db: Db,
  item: z.output<typeof newKitSchema>['bill_of_materials'][number],
  place: { pointer: string; kit: string },
): Promise<BillOfMaterialsItem> {
  const quantity = checkQuantity(item.quantity, place.pointer).toFixed()
  const rest = { quantity, sequence: item.sequence }
  if ((item.product === undefined) === (item.kit === undefined)) {
    throw fieldError(place.pointer, 'field_invalid', 'An item names either a product or a kit.')
  }
  if (item.product !== undefined) {
    const field = { kind: 'product', text: item.product, pointer: `${place.pointer}/product` } as const
    return {
      productId: await resolveField(db, { ...field, unknown: 'product_unknown' }),
      kitId: null,
      ...rest,
    }
  }
  const text = item.kit ?? ''
  if (text === place.kit)
    throw fieldError(`${place.pointer}/kit`, 'kit_cycle', `${text} would contain itself.`)
  const field = { kind: 'kit', text, pointer: `${place.pointer}/kit` } as const
  return { productId: null, kitId: await resolveField(db, { ...field, unknown: 'product_unknown' }), ...rest }
}
