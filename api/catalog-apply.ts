import { isDeepStrictEqual } from 'node:util'
import { setArchived } from '#db/removal.ts'
import type { Db } from '#db/database.ts'
import { findDiscountByCode } from '#db/discount.ts'
import { setExternalId } from '#db/external-id.ts'
import { insertKit } from '#db/kit.ts'
import { addProductVersion, insertProduct, lockProduct } from '#db/product.ts'
import { findIdByCode, type CodedKind } from '#db/read/address.ts'
import { getApplication } from '#db/read/application.ts'
import { getDiscount } from '#db/read/discount.ts'
import { getKit } from '#db/read/kit.ts'
import { getPriceList } from '#db/read/price-list.ts'
import { getProduct } from '#db/read/product.ts'
import { getMetric } from '#db/read/shared-metric.ts'
import { retitleMetric } from '#db/shared-metric.ts'
import type { ApplicationDefinition } from '#domain/application.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import type { Principal } from './authentication.ts'
import { toApplicationBody, toDiscountBody, toMetricBody, toPriceListBody } from './catalog-export.ts'
import type { ApiDependencies } from './dependencies.ts'
import { keepApplication, readNewApplication, type NewApplication } from './routes/applications.ts'
import { createDiscount } from './routes/discounts.ts'
import { createMetric } from './routes/metrics.ts'
import { changeKit } from './routes/kit-versions.ts'
import { toNewKit } from './routes/kits.ts'
import { addPriceListItems, createPriceList } from './routes/price-lists.ts'
import { toNewProduct } from './routes/products.ts'
import { newApplicationSchema } from './schemas/application.ts'
import { catalogSections, type CatalogSection } from './schemas/catalog.ts'
import { newDiscountSchema } from './schemas/discount.ts'
import { kitChangeSchema, newKitSchema, toKitBody } from './schemas/kit.ts'
import { newMetricSchema } from './schemas/metric.ts'
import { newPriceListSchema } from './schemas/price-list.ts'
import { newProductSchema, toProductBody } from './schemas/product.ts'
import { toDifferencesJson, type DifferenceJson } from './schemas/version.ts'
import { parse } from './validation.ts'

type Body = Readonly<Record<string, unknown>>

/** What an entry is applied with. */
export interface Applying {
  readonly db: Db
  readonly deps: ApiDependencies
  readonly principal: Principal
  readonly now: string
  /** From which day changes hold that name none. */
  readonly on: string
  /** What reading its applications came to, by their entries. */
  readonly read: ReadonlyMap<object, Read>
}

/** Gives what was read, or throws what it was refused for. */
export type Read = () => ApplicationDefinition

export type CatalogBodies = Readonly<Partial<Record<CatalogSection, readonly Body[]>>>

/** How the things of a section are found, made and changed: by the functions of their own routes. */
interface Keeper {
  readonly find: (db: Db, code: string) => Promise<string | undefined>
  readonly read: (at: Applying, id: string) => Promise<Body>
  readonly create: (at: Applying, body: Body) => Promise<void>
  readonly change: (at: Applying, id: string, body: Body) => Promise<void>
  /** Codes of the same section that it needs. */
  readonly needs: (body: Body) => readonly unknown[]
}

export interface CatalogChange {
  readonly section: CatalogSection
  readonly code: string
  readonly action: 'created' | 'changed'
  readonly differences: DifferenceJson[]
}

/**
 * Makes the catalog what it is told to be, entry by entry, in the caller's transaction: a refusal leaves nothing. What it does
 * not name stays.
 * @throws what the routes refuse, with the pointer inside the whole
 */
export async function applyCatalog(
  at: Applying,
  catalog: CatalogBodies,
): Promise<{ changes: CatalogChange[]; unchangedCount: number }> {
  const changes: CatalogChange[] = []
  let unchangedCount = 0
  for (const section of catalogSections) {
    for (const { body, index } of inOrder(catalog[section] ?? [], keepers[section])) {
      const change = await within(`/${section}/${index}`, async () => applyEntry(at, section, body))
      if (change === null) unchangedCount += 1
      else changes.push(change)
    }
  }
  return { changes, unchangedCount }
}

async function applyEntry(at: Applying, section: CatalogSection, entry: Body): Promise<CatalogChange | null> {
  const keeper = keepers[section]
  const { code } = entry
  if (typeof code !== 'string') throw fieldError('/code', 'field_required', 'Every entry has its code.')
  const day = entry['effective_on']
  const from = typeof day === 'string' ? { ...at, on: day } : at
  const known = await keeper.find(at.db, code)
  const before = known === undefined ? {} : await keeper.read(from, known)
  if (known === undefined) await keeper.create(from, entry)
  else await keeper.change(from, known, entry)
  const id = (await keeper.find(at.db, code)) ?? ''
  const differences = toDifferencesJson(before, await keeper.read(from, id))
  if (known !== undefined && differences.length === 0) return null
  return { section, code, action: known === undefined ? 'created' : 'changed', differences }
}

function byCodeOf(kind: CodedKind): Keeper['find'] {
  return async (db, code) => await findIdByCode(db, kind, code)
}

const keepers: Readonly<Record<CatalogSection, Keeper>> = {
  metrics: {
    find: byCodeOf('metric'),
    read: async ({ db }, id) => toMetricBody(await getMetric(db, id)),
    create: async ({ db, now }, { archived, ...body }) => {
      const id = await createMetric(db, parse(newMetricSchema, body, 'body'))
      if (archived === true) await setArchived(db, 'metric', { id, archivedAt: now })
    },
    change: changeMetric,
    needs: () => [],
  },
  applications: {
    find: byCodeOf('application'),
    read: async ({ db }, id) => await toApplicationBody(db, await getApplication(db, id)),
    create: keepRead,
    change: changeApplication,
    needs: () => [],
  },
  products: {
    find: byCodeOf('product'),
    read: async ({ db, on }, id) => {
      const row = await getProduct(db, id, on)
      return { ...toProductBody(row), ...archivedOf(row) }
    },
    create: async ({ db, now }, entry) => {
      const { effective_on: _day, archived, ...body } = entry
      const id = await insertProduct(db, await toNewProduct(db, parse(newProductSchema, body, 'body')))
      if (archived === true) await setArchived(db, 'product', { id, archivedAt: now })
    },
    // What the file leaves out is as usual, and not as it was.
    change: async ({ db, now, on }, id, entry) => {
      const { effective_on: _day, archived, ...rest } = entry
      const body = parse(newProductSchema, rest, 'body')
      await lockProduct(db, id)
      if (body.external_id !== undefined)
        await setExternalId(db, 'product', { id, externalId: body.external_id })
      await addProductVersion(db, await toNewProduct(db, body), { productId: id, effectiveOn: on })
      if (archived === true) await setArchived(db, 'product', { id, archivedAt: now })
    },
    needs: (body) => [body['variant_of']],
  },
  kits: {
    find: byCodeOf('kit'),
    read: async ({ db, on }, id) => {
      const row = await getKit(db, id, on)
      return { ...toKitBody(row), ...archivedOf(row) }
    },
    create: async ({ db, now, on }, entry) => {
      const { effective_on: _day, archived, ...body } = entry
      const kit = await toNewKit(db, parse(newKitSchema, body, 'body'), { id: 'new', on })
      const id = await insertKit(db, kit)
      if (archived === true) await setArchived(db, 'kit', { id, archivedAt: now })
    },
    change: async ({ db, now, on }, id, entry) => {
      const { code: _code, archived, effective_on: _day, ...said } = entry
      const body = parse(kitChangeSchema, { price_product: null, ...said, effective_on: on }, 'body')
      await changeKit(db, { id, body, now })
      if (archived === true) await setArchived(db, 'kit', { id, archivedAt: now })
    },
    needs: ({ bill_of_materials: items }) =>
      Array.isArray(items) ? items.map((item: Body) => item['kit']) : [],
  },
  price_lists: {
    find: byCodeOf('priceList'),
    read: async ({ db }, id) => toPriceListBody(await getPriceList(db, id)),
    create: async ({ db }, body) => void (await createPriceList(db, parse(newPriceListSchema, body, 'body'))),
    change: addMissingItems,
    needs: (body) => [body['base_price_list']],
  },
  discounts: {
    find: async (db, code) => (await findDiscountByCode(db, code))?.id,
    read: async ({ db }, id) => toDiscountBody(await getDiscount(db, id)),
    create: async ({ db }, body) => void (await createDiscount(db, parse(newDiscountSchema, body, 'body'))),
    change: async ({ db }, id, entry) => {
      const [asked, held] = [entry, toDiscountBody(await getDiscount(db, id))].map((body) =>
        said(parse(newDiscountSchema, body, 'body')),
      )
      if (isDeepStrictEqual(asked, held)) return
      throw fieldError('/code', 'code_taken', 'A discount never changes: archive it, and make another code.')
    },
    needs: () => [],
  },
}

function archivedOf(row: { archived_at: string | null }): Body {
  return row.archived_at === null ? {} : { archived: true }
}

async function changeApplication(at: Applying, id: string, body: Body): Promise<void> {
  if (!(await holdsApplication(at.db, id, parse(newApplicationSchema, body, 'body'))))
    await keepRead(at, body)
}

/**
 * What is held already is not read again: images of the applications that Clouder ships are built from folders that no file
 * can send, and who may not grant permissions may still apply a catalog that has them.
 */
export async function holdsApplication(db: Db, id: string, asked: NewApplication): Promise<boolean> {
  const held = parse(newApplicationSchema, await toApplicationBody(db, await getApplication(db, id)), 'body')
  const granted = new Set(held.permissions.map(({ permission }) => permission))
  return (
    asked.compose === held.compose &&
    isDeepStrictEqual(asked.files, held.files) &&
    asked.permissions.every(({ permission }) => granted.has(permission))
  )
}

async function keepRead({ db, deps, principal, read }: Applying, entry: Body): Promise<void> {
  const body = parse(newApplicationSchema, entry, 'body')
  // One that was changed since the others were read, by an entry before it or by somebody else, is read here.
  const definition = read.get(entry)?.() ?? (await readNewApplication(db, { deps, body, principal }))
  await keepApplication(db, { body, definition, principal })
}

/** What a code measures never changes. */
async function changeMetric({ db, now }: Applying, id: string, { archived, ...entry }: Body): Promise<void> {
  const { archived: _held, ...held } = toMetricBody(await getMetric(db, id))
  const [asked, was] = [entry, held].map((body) => said(parse(newMetricSchema, body, 'body')))
  if (!isDeepStrictEqual({ ...asked, title: null }, { ...was, title: null })) {
    const detail = 'What a metric measures never changes: archive it, and define another code.'
    throw fieldError('/code', 'code_taken', detail)
  }
  await retitleMetric(db, id, parse(newMetricSchema, entry, 'body').title)
  if (archived === true) await setArchived(db, 'metric', { id, archivedAt: now })
}

/** Items have no names of their own: those that are new are added, and one that is gone is refused. */
async function addMissingItems({ db }: Applying, id: string, body: Body): Promise<void> {
  const asked = parse(newPriceListSchema, body, 'body')
  const held = parse(newPriceListSchema, toPriceListBody(await getPriceList(db, id)), 'body')
  const { items, ...facts } = asked
  const { items: heldItems, ...heldFacts } = held
  const usual = { allows_conversion: false }
  if (!isDeepStrictEqual(said({ ...usual, ...facts }), said({ ...usual, ...heldFacts })))
    throw fieldError(
      '/code',
      'code_taken',
      'Of a list that there is, only items are added: name another code.',
    )
  // The currency of the list needs not be said.
  const saidOf = ({ currency, ...item }: (typeof items)[number]) =>
    said({ ...item, currency: currency === asked.currency ? null : currency })
  const has = (list: typeof items, item: (typeof items)[number]) =>
    list.some((other) => isDeepStrictEqual(saidOf(other), saidOf(item)))
  if (heldItems.some((item) => !has(items, item)))
    throw fieldError(
      '/items',
      'field_invalid',
      'The list has items that the file lacks: they are never taken away.',
    )
  await addPriceListItems(
    db,
    id,
    items.filter((item) => !has(heldItems, item)),
  )
}

/** Without what is null: both say that there is none. */
function said(body: object): Body {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined))
}

interface Placed {
  readonly body: Body
  readonly index: number
}

/** What others of the section need comes first; else as written. A circle stays as written, and is refused. */
function inOrder(bodies: readonly Body[], { needs }: Keeper): Placed[] {
  const waiting: Placed[] = bodies.map((body, index) => ({ body, index }))
  const ordered: Placed[] = []
  while (waiting.length > 0) {
    const codes = new Set(waiting.map(({ body }) => body['code']))
    const ready = waiting.findIndex(
      ({ body }) => !needs(body).some((code) => code !== body['code'] && codes.has(code)),
    )
    ordered.push(...waiting.splice(Math.max(ready, 0), 1))
  }
  return ordered
}

/** A refusal of one entry names its place in the whole. */
async function within<T>(pointer: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    const { code, message, fields } = error
    const own = fields.length === 0 ? [{ pointer: '', code, detail: message }] : fields
    throw new BusinessError(code, message, {
      fields: own.map((field) => ({ ...field, pointer: `${pointer}${field.pointer}` })),
      cause: error,
    })
  }
}
