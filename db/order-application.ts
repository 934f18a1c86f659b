import type { ApplicationDefinition } from '#domain/application.ts'
import { fieldError } from '#domain/errors.ts'
import { explodeKit } from '#domain/kit.ts'
import type { Catalog, OrderRequestLine, PlannedSubscription } from '#domain/order.ts'
import { planParts } from '#domain/part.ts'
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
    /** What it brings along, of what was read with it. */
    readonly children: readonly { readonly id: string; readonly sequence: number }[]
  }
>

/**
 * Refuses what could not be built, or not any more, before anybody pays for it.
 * @throws `product_archived`, `application_unknown` for a child, `variable_missing`, and `field_invalid` for a value that a shell could misread
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
      refuseMissingChild(definition, applications, pointer)
      refuseMissing(definition, said.variables, pointer)
      refuseShellWords(definition.variables ?? [], { ...said.variables, ...said.secrets }, said.places)
    }
  }
}

function refuseMissingChild(
  { code, children = [] }: ApplicationDefinition,
  applications: Applications,
  pointer: string,
): void {
  const known = new Set([...applications.values()].map((one) => one.code))
  const missing = children.find(({ application }) => !known.has(application))
  if (missing === undefined) return
  const detail = `${code} brings ${missing.application} along, which is not there: import it first.`
  throw fieldError(pointer, 'application_unknown', detail)
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
    const built = planParts(product.applicationIds, (of) => applications.get(of)?.children ?? []).ids
    const askedVariables = built.flatMap((applicationId) =>
      (applications.get(applicationId)?.definition.variables ?? [])
        .filter(({ source }) => source === 'asked')
        .map(({ name }) => name),
    )
    // What is sold beside another product is of that one's instance, which was asked for.
    const form =
      product.addOnOf.length > 0 ? [] : built.flatMap((of) => applications.get(of)?.definition.form ?? [])
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

/** Rounds of children of children: a circle ends by itself, for what is known is not read again. */
const deepest = 20

/** Applications with all that they bring along, as far as it is there. */
export async function readApplications(db: Db, ids: readonly string[]): Promise<Applications> {
  const rows = new Map<string, ApplicationRow>()
  let asked: readonly ApplicationRow[] = await listNewest(db, { ids })
  for (let round = 0; asked.length > 0 && round < deepest; round += 1) {
    for (const row of asked) rows.set(row.code, row)
    const codes = [...rows.values()].flatMap(({ definition }) =>
      (definition.children ?? []).map(({ application }) => application),
    )
    asked = await listNewest(db, { codes: [...new Set(codes)].filter((code) => !rows.has(code)) })
  }
  return new Map([...rows.values()].map((row) => [row.id, toApplication(row, rows)]))
}

function toApplication(row: ApplicationRow, rows: ReadonlyMap<string, ApplicationRow>) {
  const { code, definition, version_id: versionId } = row
  const children = (definition.children ?? []).flatMap(({ application, sequence }) => {
    const child = rows.get(application)
    return child === undefined ? [] : [{ id: child.id, sequence }]
  })
  return { code, isArchived: row.archived_at !== null, versionId, definition, children }
}

/** The applications of each subscription with what they bring along, every one after its parts. */
export function withParts(
  planned: readonly PlannedSubscription[],
  applications: Applications,
): PlannedSubscription[] {
  return planned.map((subscription) => {
    const { ids, ...parts } = planParts(
      subscription.applicationIds,
      (id) => applications.get(id)?.children ?? [],
    )
    return parts.parents.size === 0 ? subscription : { ...subscription, applicationIds: ids, parts }
  })
}

type ApplicationRow = Awaited<ReturnType<typeof listNewest>>[number]

/** The newest version of each. */
async function listNewest(db: Db, of: { ids: readonly string[] } | { codes: readonly string[] }) {
  const [column, wanted] = 'ids' in of ? (['id', of.ids] as const) : (['code', of.codes] as const)
  if (wanted.length === 0) return []
  return await db
    .selectFrom('application_versions')
    .innerJoin('applications', 'applications.id', 'application_versions.application_id')
    .distinctOn('application_versions.application_id')
    .select(['applications.id', 'applications.code', 'applications.archived_at', 'definition'])
    .select('application_versions.id as version_id')
    .where(`applications.${column}`, 'in', wanted)
    .orderBy('application_versions.application_id')
    .orderBy('application_versions.version', 'desc')
    .execute()
}
