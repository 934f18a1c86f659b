import type { Db } from '#db/database.ts'
import { listGrants } from '#db/application-permission.ts'
import { listApplications, type ApplicationRow } from '#db/read/application.ts'
import { listDiscountPage, type DiscountRow } from '#db/read/discount.ts'
import { listKits, listKitVersions } from '#db/read/kit.ts'
import { listPriceLists, type PriceListRow } from '#db/read/price-list.ts'
import { listProducts, listProductVersions } from '#db/read/product.ts'
import { listMetricPage, type SharedMetricRow } from '#db/read/shared-metric.ts'
import { newDiscountSchema, toDiscountJson } from './schemas/discount.ts'
import { toKitBody } from './schemas/kit.ts'
import { newMetricSchema, toMetricJson } from './schemas/metric.ts'
import { newPriceListSchema, priceListItemField, toPriceListJson } from './schemas/price-list.ts'
import { toProductBody } from './schemas/product.ts'
import type { CatalogSection } from './schemas/catalog.ts'
import { bodyOf } from './schemas/version.ts'

type Body = Record<string, unknown>

/** Nobody's catalog is larger; a file that says less than there is would be wrong. */
const everything = { limit: 5_000, cursor: null, direction: 'after' } as const

/** The catalog as it would be posted to an empty installation: what holds on a day, and what will hold later. */
export async function exportCatalog(db: Db, on: string): Promise<Record<CatalogSection, Body[]>> {
  const applications = await listApplications(db, everything)
  const lists = await listPriceLists(db, everything)
  const discounts = await listDiscountPage(db, everything)
  return {
    metrics: byCode((await listMetricPage(db, everything)).map(toMetricBody)),
    applications: byCode(await exportApplications(db, applications)),
    products: byCode(
      await exportVersions(await listProducts(db, everything, on), on, {
        later: async (id) => await listProductVersions(db, id),
        toBody: toProductBody,
      }),
    ),
    kits: byCode(
      await exportVersions(await listKits(db, everything, on), on, {
        later: async (id) => await listKitVersions(db, id),
        toBody: toKitBody,
      }),
    ),
    price_lists: byCode(lists.map(toPriceListBody)),
    discounts: byCode(
      discounts.filter(({ code, archived_at: at }) => code !== null && at === null).map(toDiscountBody),
    ),
  }
}

async function exportApplications(db: Db, rows: readonly ApplicationRow[]): Promise<Body[]> {
  const bodies: Body[] = []
  for (const row of rows) bodies.push(await toApplicationBody(db, row))
  return bodies
}

/** With its files, and with what was granted to it: without them the file would be read as another. */
export async function toApplicationBody(db: Db, { code, compose, files }: ApplicationRow): Promise<Body> {
  const grants = await listGrants(db, code)
  const permissions = grants.map(({ permission, reason }) => ({ permission, reason }))
  return {
    code,
    compose,
    ...(Object.keys(files).length === 0 ? {} : { files }),
    ...(permissions.length === 0 ? {} : { permissions }),
  }
}

interface VersionRow {
  readonly id: string
  readonly version: number
  readonly effective_on: string | null
  readonly archived_at: string | null
}

async function exportVersions<Row extends VersionRow>(
  held: readonly Row[],
  on: string,
  of: { later: (id: string) => Promise<readonly Row[]>; toBody: (row: Row) => Body },
): Promise<Body[]> {
  const bodies: Body[] = []
  for (const row of held) {
    const planned = (await of.later(row.id))
      .filter(({ effective_on: day }) => day !== null && day > on)
      .toSorted((first, second) => ((first.effective_on ?? '') < (second.effective_on ?? '') ? -1 : 1))
    bodies.push({ ...of.toBody(row), ...archived(row) })
    for (const later of planned) bodies.push({ effective_on: later.effective_on, ...of.toBody(later) })
  }
  return bodies
}

function archived(row: { archived_at: string | null }): Body {
  return row.archived_at === null ? {} : { archived: true }
}

export function toMetricBody(row: SharedMetricRow): Body {
  return { ...bodyOf(toMetricJson(row), newMetricSchema.shape), ...archived(row) }
}

export function toDiscountBody(row: DiscountRow): Body {
  return bodyOf(toDiscountJson(row), newDiscountSchema.shape)
}

export function toPriceListBody(row: PriceListRow): Body {
  const list = toPriceListJson(row)
  const items = list.items.map((item) => {
    const { price, currency, ...body } = bodyOf(item, priceListItemField.shape)
    return {
      ...body,
      ...(price === undefined || currency === list.currency ? {} : { currency }),
      ...(price === undefined || body['unit_price'] !== undefined ? {} : { price }),
    }
  })
  return { ...bodyOf(list, newPriceListSchema.shape), items }
}

/** So that two exports of one catalog are one file. Entries of one code stay in their order. */
function byCode(bodies: readonly Body[]): Body[] {
  return bodies.toSorted((first, second) => {
    const [one, other] = [String(first['code']), String(second['code'])]
    return one === other ? 0 : one < other ? -1 : 1
  })
}
