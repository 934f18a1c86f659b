import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import {
  removeFromCatalog,
  setArchived,
  withdrawItem,
  type ArchivableKind,
  type RemovableKind,
} from '#db/removal.ts'
import { getApplication } from '#db/read/application.ts'
import { getDiscount } from '#db/read/discount.ts'
import { getKit } from '#db/read/kit.ts'
import { getPriceList, type PriceListRow } from '#db/read/price-list.ts'
import { getProduct } from '#db/read/product.ts'
import { getMetric } from '#db/read/shared-metric.ts'
import { readSellerToday } from '#db/seller.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import type { Permission } from '../permission.ts'
import { applicationSchema, toApplicationJson } from '../schemas/application.ts'
import { addressField, addressParams, dateField } from '../schemas/common.ts'
import { discountSchema, toDiscountJson } from '../schemas/discount.ts'
import { kitSchema, toKitJson } from '../schemas/kit.ts'
import { metricSchema, toMetricJson } from '../schemas/metric.ts'
import { priceListSchema, toPriceListJson } from '../schemas/price-list.ts'
import { productSchema, toProductJson } from '../schemas/product.ts'
import { nothingSchema } from '../schemas/subscription.ts'

interface Kept<Schema extends z.ZodType> {
  readonly kind: ArchivableKind & RemovableKind
  readonly path: string
  /** With its article. */
  readonly words: string
  readonly permission: Permission
  readonly schema: Schema
  /** As it is on a day. */
  readonly read: (db: Db, id: string, on: string) => Promise<z.input<Schema>>
}

const product: Kept<typeof productSchema> = {
  kind: 'product',
  path: '/v1/products',
  words: 'a product',
  permission: 'products:write',
  schema: productSchema,
  read: async (db, id, on) => toProductJson(await getProduct(db, id, on)),
}
const kit: Kept<typeof kitSchema> = {
  kind: 'kit',
  path: '/v1/kits',
  words: 'a kit',
  permission: 'kits:write',
  schema: kitSchema,
  read: async (db, id, on) => toKitJson(await getKit(db, id, on)),
}
const priceList: Kept<typeof priceListSchema> = {
  kind: 'priceList',
  path: '/v1/price-lists',
  words: 'a price list',
  permission: 'price_lists:write',
  schema: priceListSchema,
  read: async (db, id) => toPriceListJson(await getPriceList(db, id)),
}
const discount: Kept<typeof discountSchema> = {
  kind: 'discount',
  path: '/v1/discounts',
  words: 'a discount',
  permission: 'discounts:write',
  schema: discountSchema,
  read: async (db, id) => toDiscountJson(await getDiscount(db, id)),
}
const application: Kept<typeof applicationSchema> = {
  kind: 'application',
  path: '/v1/applications',
  words: 'an application',
  permission: 'applications:write',
  schema: applicationSchema,
  read: async (db, id) => toApplicationJson(await getApplication(db, id)),
}

const metric: Kept<typeof metricSchema> = {
  kind: 'metric',
  path: '/v1/metrics',
  words: 'a shared metric',
  permission: 'metrics:write',
  schema: metricSchema,
  read: async (db, id) => toMetricJson(await getMetric(db, id)),
}

/** What is in use is archived; what nothing uses can be deleted. */
export function registerRemoval(frame: Frame): void {
  registerBoth(frame, product, 'It is not sold any more; what was sold of it goes on and is billed.')
  registerBoth(frame, kit, 'It is not sold any more; what was sold of it goes on and is billed.')
  registerBoth(frame, priceList, 'No customer is given it any more; whoever has it keeps its prices.')
  registerBoth(frame, discount, 'Nobody gets it any more; who has it keeps it.')
  registerBoth(frame, application, 'What builds it is not sold any more; its instances stay.')
  registerBoth(frame, metric, 'Nothing new names it; what does goes on and is billed.')
  registerItems(frame)
}

function registerBoth<Schema extends z.ZodType>(frame: Frame, kept: Kept<Schema>, meaning: string): void {
  const { path, permission, schema, words } = kept
  const shared = { permission, tag: 'Catalog', params: addressParams } as const
  for (const [action, description] of [
    ['archive', meaning],
    ['unarchive', 'It is as if it had never been archived.'],
  ] as const) {
    frame.route(
      {
        ...shared,
        method: 'post',
        path: `${path}/{id}/${action}`,
        summary: `${action === 'archive' ? 'Archive' : 'Unarchive'} ${words}`,
        description: `${description} A second time changes nothing.`,
        body: nothingSchema,
        result: schema,
      },
      async ({ db, transaction, params, now }) => {
        const id = await resolveAddress(db, kept.kind, params.id)
        await setArchived(transaction(), kept.kind, { id, archivedAt: action === 'archive' ? now : null })
        return await kept.read(db, id, await readSellerToday(db, now))
      },
    )
  }
  frame.route(
    {
      ...shared,
      method: 'delete',
      path: `${path}/{id}`,
      summary: `Delete ${words} that nothing uses`,
      description: 'What is used is refused with what uses it, and how many: archive it instead.',
      result: z.null(),
      status: 204,
      refusals: ['in_use'],
    },
    async ({ db, transaction, params }) => {
      await removeFromCatalog(transaction(), kept.kind, await resolveAddress(db, kept.kind, params.id))
      return null
    },
  )
}

const itemParams = z.object({
  id: addressField.openapi({ description: 'Of the price list: an id or a code.' }),
  item: addressField.openapi({ description: 'The item’s id.' }),
})
const withdrawalSchema = z
  .strictObject({
    on: dateField.optional().openapi({ description: 'Left out: today, where the seller is.' }),
  })
  .openapi('ItemWithdrawal')

function registerItems(frame: Frame): void {
  const shared = { permission: 'price_lists:write', tag: 'Catalog', params: itemParams } as const
  const path = '/v1/price-lists/{id}/items/{item}'
  frame.route(
    {
      ...shared,
      method: 'post',
      path: `${path}/withdraw`,
      summary: 'Withdraw an item of a price list from a day on',
      description:
        'Orders of that day and later ones get another price, and so do lines whose price is read anew each period; agreed prices stay.',
      body: withdrawalSchema,
      result: priceListSchema,
      refusals: ['date_range_invalid'],
    },
    async ({ db, transaction, params, body, now }) => {
      const { list, itemId } = await resolveItem(db, params)
      await withdrawItem(transaction(), itemId, body.on ?? (await readSellerToday(db, now)))
      return toPriceListJson(await getPriceList(db, list.id))
    },
  )
  frame.route(
    {
      ...shared,
      method: 'delete',
      path,
      summary: 'Delete an item of a price list by which nothing was sold',
      description: 'What was sold by it is refused with how many: withdraw it instead.',
      result: z.null(),
      status: 204,
      refusals: ['in_use'],
    },
    async ({ db, transaction, params }) => {
      await removeFromCatalog(transaction(), 'priceListItem', (await resolveItem(db, params)).itemId)
      return null
    },
  )
}

/** @throws `not_found`, also for an item of another list */
async function resolveItem(
  db: Db,
  params: z.output<typeof itemParams>,
): Promise<{ list: PriceListRow; itemId: string }> {
  const list = await getPriceList(db, await resolveAddress(db, 'priceList', params.id))
  const itemId = await resolveAddress(db, 'priceListItem', params.item)
  if (list.items.some(({ id }) => id === itemId)) return { list, itemId }
  throw new BusinessError('not_found', `${list.code} has no item ${encodeId('priceListItem', itemId)}.`)
}
