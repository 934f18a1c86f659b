import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { setExternalId } from '#db/external-id.ts'
import { addProductVersion, lockProduct, setPlace } from '#db/product.ts'
import { getProduct, listProductVersions, type ProductRow } from '#db/read/product.ts'
import { countByProductVersion } from '#db/read/version.ts'
import { readSellerToday } from '#db/seller.ts'
import { resolveAddress } from '../addressing.ts'
import { compareVersions, showVersions, toVersionJson, type ShownVersion } from '../catalog-version.ts'
import type { Frame } from '../frame.ts'
import { addressParams } from '../schemas/common.ts'
import {
  newProductSchema,
  productChangeSchema,
  productSchema,
  toProductBody,
  toProductJson,
} from '../schemas/product.ts'
import { versionPairQuery, versionPairSchema, versionShape } from '../schemas/version.ts'
import { parse } from '../validation.ts'
import { productRefusals, toNewProduct } from './products.ts'

const productVersionsSchema = z
  .object({ data: z.array(z.object({ ...versionShape, product: productSchema })) })
  .openapi('ProductVersions')

export function registerProductVersions(frame: Frame): void {
  registerProductChange(frame)
  frame.route(
    {
      method: 'get',
      path: '/v1/products/{id}/versions',
      permission: 'products:read',
      tag: 'Catalog',
      summary: 'List the versions of a product',
      params: addressParams,
      result: productVersionsSchema,
    },
    async ({ db, params, now }) => {
      const shown = await readProductVersions(db, await resolveAddress(db, 'product', params.id), now)
      return { data: shown.map((one) => ({ ...toVersionJson(one), product: toProductJson(one.row) })) }
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/products/{id}/difference',
      permission: 'products:read',
      tag: 'Catalog',
      summary: 'Compare two versions of a product',
      params: addressParams,
      query: versionPairQuery,
      result: versionPairSchema,
    },
    async ({ db, params, query }) => {
      const rows = await listProductVersions(db, await resolveAddress(db, 'product', params.id))
      return compareVersions(rows, query, toProductBody)
    },
  )
}

/** Oldest first. */
export async function readProductVersions(
  db: Db,
  productId: string,
  now: string,
): Promise<ShownVersion<ProductRow>[]> {
  const rows = await listProductVersions(db, productId)
  const counts = await countByProductVersion(db, productId)
  return showVersions(rows, { today: await readSellerToday(db, now), counts, toBody: toProductBody })
}

function registerProductChange(frame: Frame): void {
  frame.route(
    {
      method: 'patch',
      path: '/v1/products/{id}',
      permission: 'products:write',
      tag: 'Catalog',
      summary: 'Change a product',
      description:
        'What is left out stays. The change makes a version, which orders get from its day on; what is sold keeps the version that it was sold by. Where nothing changes, none is made.',
      params: addressParams,
      body: productChangeSchema,
      result: productSchema,
      refusals: productRefusals,
    },
    async ({ db, params, body, now }) => {
      const id = await resolveAddress(db, 'product', params.id)
      return toProductJson(await changeProduct(db, { id, body, now }))
    },
  )
}

/** @returns the product as it is from the day on @throws as the making of one */
async function changeProduct(
  db: Db,
  asked: { id: string; body: z.output<typeof productChangeSchema>; now: string },
): Promise<ProductRow> {
  const { id, now } = asked
  const { external_id: externalId, effective_on: day, ...change } = asked.body
  await lockProduct(db, id)
  await setExternalId(db, 'product', { id, externalId })
  const effectiveOn = day ?? (await readSellerToday(db, now))
  if (Object.keys(change).length > 0) {
    const held = toProductBody(await getProduct(db, id, effectiveOn))
    const body = parse(newProductSchema, changed(held, change), 'body')
    const product = await toNewProduct(db, body)
    await addProductVersion(db, product, { productId: id, effectiveOn })
    await setPlace(db, id, product)
  }
  return await getProduct(db, id, effectiveOn)
}

type Json = Readonly<Record<string, unknown>>

/** A price takes the place of its short form, and the other way; terms that are left out stay. */
function changed({ price, base_price: basePrice, ...held }: Json, change: Json): Json {
  const isPriced = change['price'] !== undefined || change['base_price'] !== undefined
  const terms =
    change['terms'] === undefined ? {} : { terms: { ...object(held['terms']), ...object(change['terms']) } }
  return { ...held, ...(isPriced ? {} : { price, base_price: basePrice }), ...change, ...terms }
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}
