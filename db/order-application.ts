import type { ApplicationDefinition } from '#domain/application.ts'
import { fieldError } from '#domain/errors.ts'
import { explodeKit } from '#domain/kit.ts'
import type { Catalog, OrderRequestLine, PlannedSubscription } from '#domain/order.ts'
import { refuseMissing, refuseShellWords } from '#domain/variable.ts'
import type { Db } from './database.ts'

/** The newest version of each application of an order, by id. */
export type Applications = ReadonlyMap<
  string,
  {
    readonly code: string
    readonly isArchived: boolean
    readonly versionId: string
    readonly definition: ApplicationDefinition
  }
>

/**
 * Refuses what could not be built, or not any more, before anybody pays for it.
 * @throws `product_archived`, `variable_missing`, and `field_invalid` for a value that a shell could misread
 */
export function refuseUnbuildable(planned: readonly PlannedSubscription[], applications: Applications): void {
  for (const { applicationIds, orderLineIndex, kitId, title, ...said } of planned) {
    const pointer = `/lines/${orderLineIndex}`
    for (const id of applicationIds) {
      const application = applications.get(id)
      if (application === undefined) continue
      const { code, definition, isArchived } = application
      if (isArchived) {
        const detail = `${title} builds ${code}, which is archived and cannot be ordered.`
        throw fieldError(`${pointer}/${kitId === null ? 'product' : 'kit'}`, 'product_archived', detail)
      }
      refuseMissing(definition, said.variables, pointer)
      refuseShellWords(definition.variables ?? [], { ...said.variables, ...said.secrets }, said.places)
    }
  }
}

/** What the lines of an order could build, with the options of their products. */
export function applicationIdsOf(lines: readonly OrderRequestLine[], catalog: Catalog): string[] {
  const products = lines.flatMap((line) => productsOf(line, catalog))
  const chosen = products
    .flatMap(({ options }) => options)
    .flatMap(({ productId, choices }) => [productId, ...choices.map((choice) => choice.productId)])
    .map((id) => (id === null ? undefined : catalog.products.get(id)))
    .filter((product) => product !== undefined)
  return [...new Set([...products, ...chosen].flatMap(({ applicationIds }) => applicationIds))]
}

/** What the forms of its applications ask is asked, and what they ask for besides can be given by name. */
export function withAskedVariables(catalog: Catalog, applications: Applications): Catalog {
  if (applications.size === 0) return catalog
  const products = [...catalog.products].map(([id, product]) => {
    const askedVariables = product.applicationIds.flatMap((applicationId) =>
      (applications.get(applicationId)?.definition.variables ?? [])
        .filter(({ source }) => source === 'asked')
        .map(({ name }) => name),
    )
    // What is sold beside another product is of that one's instance, which was asked for.
    const form =
      product.addOnOf.length > 0
        ? []
        : product.applicationIds.flatMap((of) => applications.get(of)?.definition.form ?? [])
    return [id, { ...product, askedVariables, form }] as const
  })
  return { ...catalog, products: new Map(products) }
}

/** The products that ask something of an order line. */
export function productsOf(line: OrderRequestLine, catalog: Catalog) {
  const kit = line.kitId === undefined ? undefined : catalog.kits.get(line.kitId)
  if (kit) return explodeKit(kit, catalog).map(({ product }) => product)
  return [catalog.products.get(line.productId ?? '')].filter((product) => product !== undefined)
}

export async function readApplications(db: Db, ids: readonly string[]): Promise<Applications> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('application_versions')
    .innerJoin('applications', 'applications.id', 'application_versions.application_id')
    .distinctOn('application_versions.application_id')
    .select(['applications.id', 'applications.code', 'applications.archived_at', 'definition'])
    .select('application_versions.id as version_id')
    .where('application_versions.application_id', 'in', ids)
    .orderBy('application_versions.application_id')
    .orderBy('application_versions.version', 'desc')
    .execute()
  return new Map(
    rows.map((row) => [
      row.id,
      {
        code: row.code,
        isArchived: row.archived_at !== null,
        versionId: row.version_id,
        definition: row.definition,
      },
    ]),
  )
}
