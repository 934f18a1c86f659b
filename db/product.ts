import { isDeepStrictEqual } from 'node:util'
import type { Recurrence } from '#domain/calendar.ts'
import { fieldError } from '#domain/errors.ts'
import type { Features } from '#domain/feature.ts'
import type { Price } from '#domain/pricing/price.ts'
import type { BillingTiming, BillingType } from '#domain/product.ts'
import type { ProductOption } from '#domain/option.ts'
import type { OrderField } from '#domain/order-field.ts'
import type { Terms } from '#domain/terms.ts'
import { readCatalog } from './catalog.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'
import { refuseTakenCode, refuseTakenExternalId } from './unique.ts'

export interface NewProduct {
  readonly code: string
  readonly externalId?: string | null
  readonly name: string
  readonly billingType: BillingType
  readonly billingTiming: BillingTiming
  readonly recurrence: Recurrence | null
  readonly unit: string
  readonly basePrice: Price
  /** What differs from the default terms. */
  readonly terms?: Partial<Terms>
  readonly category?: string | null
  readonly attributes?: Readonly<Record<string, string>>
  readonly variantOf?: string | null
  readonly taxCategory?: string
  readonly currency: string
  readonly metric: string | null
  readonly limitCode: string | null
  /** The attribute that says how much one of it sells. */
  readonly quantityAttribute?: string | null
  readonly isHidden?: boolean
  /** Ids of the products that it is sold beside. */
  readonly addOnOf?: readonly string[]
  readonly features?: Features
  readonly options?: readonly ProductOption[]
  readonly orderFields?: readonly OrderField[]
  readonly applicationIds: readonly string[]
}

/** @throws `code_taken`, `external_id_taken` */
export async function insertProduct(db: Db, product: NewProduct): Promise<string> {
  const id = newId()
  const insert = async () =>
    db
      .insertInto('products')
      .values({
        id,
        code: product.code,
        external_id: product.externalId ?? null,
        variant_of_id: product.variantOf ?? null,
        is_hidden: product.isHidden ?? false,
        archived_at: null,
      })
      .execute()
  await refuseTakenExternalId(product.externalId, '/external_id', async () =>
    refuseTakenCode(product.code, insert),
  )
  await insertProductVersion(db, product, { productId: id, version: 1, effectiveOn: null })
  if (product.addOnOf !== undefined) await setPlace(db, id, product)
  return id
}

/** Of two changes at once, the second knows the first. */
export async function lockProduct(tx: Db, productId: string): Promise<void> {
  await tx.selectFrom('products').select('id').where('id', '=', productId).forNoKeyUpdate().execute()
}

/**
 * What a product says from a day on; what it said before goes on to hold for what was sold. Where it says so already, nothing
 * is added. Its row is locked by the caller.
 */
export async function addProductVersion(
  tx: Db,
  product: NewProduct,
  of: { productId: string; effectiveOn: string },
): Promise<number> {
  const catalog = await readCatalog(tx, of.effectiveOn)
  const held = catalog.products.get(of.productId)
  if (held && isDeepStrictEqual(saidBy(product), saidBy(held))) return held.version
  const { last } = await tx
    .selectFrom('product_versions')
    .select((version) => version.fn.max('version').as('last'))
    .where('product_id', '=', of.productId)
    .executeTakeFirstOrThrow()
  await insertProductVersion(tx, product, { ...of, version: last + 1 })
  return last + 1
}

interface VersionPlace {
  readonly productId: string
  readonly version: number
  readonly effectiveOn: string | null
}

async function insertProductVersion(db: Db, product: NewProduct, place: VersionPlace): Promise<void> {
  const { productId, version, effectiveOn } = place
  const { applicationIds, ...said } = saidBy(product)
  await db
    .insertInto('product_versions')
    .values({
      ...said,
      product_id: productId,
      version,
      effective_on: effectiveOn,
      price: JSON.stringify(said.price),
      terms: JSON.stringify(said.terms),
      attributes: JSON.stringify(said.attributes),
      features: JSON.stringify(said.features),
      options: JSON.stringify(said.options),
      order_fields: JSON.stringify(said.order_fields),
    })
    .execute()
  const builds = applicationIds.map((applicationId) => ({
    product_id: productId,
    version,
    application_id: applicationId,
  }))
  if (builds.length === 0) return
  await refuseDeployedElsewhere(db, productId)
  await db.insertInto('product_applications').values(builds).execute()
}

async function refuseDeployedElsewhere(db: Db, productId: string): Promise<void> {
  const there = await db
    .selectFrom('product_deployers')
    .innerJoin('deployers', 'deployers.id', 'product_deployers.deployer_id')
    .select('deployers.code')
    .where('product_id', '=', productId)
    .executeTakeFirst()
  if (!there) return
  const detail = `${there.code} deploys the product: it is deployed here or there.`
  throw fieldError('/applications', 'product_builds_here', detail)
}

/** All that a version says. */
function saidBy(product: NewProduct) {
  return {
    name: product.name,
    billing_type: product.billingType,
    billing_timing: product.billingTiming,
    recurrence_count: product.recurrence?.count ?? null,
    recurrence_unit: product.recurrence?.unit ?? null,
    unit: product.unit,
    price: product.basePrice,
    terms: product.terms ?? {},
    category: product.category ?? null,
    attributes: product.attributes ?? {},
    tax_category: product.taxCategory ?? 'standard',
    currency: product.currency,
    metric: product.metric,
    limit_code: product.limitCode,
    quantity_attribute: product.quantityAttribute ?? null,
    features: product.features ?? {},
    options: product.options ?? [],
    order_fields: product.orderFields ?? [],
    applicationIds: product.applicationIds.toSorted(),
  }
}

/** Where it is sold, from now on and whatever its versions say: in the shop or not, by itself or beside others. */
export async function setPlace(
  db: Db,
  productId: string,
  { isHidden = false, addOnOf = [] }: Pick<NewProduct, 'isHidden' | 'addOnOf'>,
): Promise<void> {
  await db.updateTable('products').set({ is_hidden: isHidden }).where('id', '=', productId).execute()
  await db.deleteFrom('add_ons').where('product_id', '=', productId).execute()
  if (addOnOf.length === 0) return
  await db
    .insertInto('add_ons')
    .values(addOnOf.map((mainId) => ({ product_id: productId, main_product_id: mainId })))
    .execute()
}
