import type { Tx } from '#db/database.ts'
import { inVain } from '#db/in-vain.ts'
import { readSellerToday } from '#db/seller.ts'
import { readCatalogApplications } from '../catalog-applications.ts'
import { applyCatalog } from '../catalog-apply.ts'
import { exportCatalog } from '../catalog-export.ts'
import type { Frame } from '../frame.ts'
import { catalogApplicationSchema, catalogChangesSchema, catalogSchema } from '../schemas/catalog.ts'
import { kitRefusals } from './kits.ts'
import { productRefusals } from './products.ts'

export function registerCatalog(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/catalog',
      permission: 'catalog:read',
      tag: 'Catalog',
      summary: 'Read the whole catalog',
      description:
        'As it would be applied to an empty installation: what holds today, and what will hold later.',
      result: catalogSchema,
    },
    async ({ db, now }) => await exportCatalog(db, await readSellerToday(db, now)),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/catalog',
      permission: 'catalog:write',
      tag: 'Catalog',
      summary: 'Apply a catalog',
      description:
        'Makes what is named as it is named, all of it or nothing; what is not named stays. A second time changes nothing.',
      body: catalogApplicationSchema,
      result: catalogChangesSchema,
      // Who reads the applications may be slow: no transaction stays open for it. A second time it changes nothing.
      effect: 'command',
      refusals: [...new Set([...productRefusals, ...kitRefusals, 'application_refused' as const])],
    },
    async ({ db, body, principal, now }) => {
      const { dry_run: isDryRun, effective_on: day, ...catalog } = body
      const on = day ?? (await readSellerToday(db, now))
      const bodies = given(catalog)
      const at = { deps: frame.deps, principal, now, on }
      const read = await readCatalogApplications({ ...at, db }, bodies)
      const apply = async (tx: Tx) => await applyCatalog({ ...at, db: tx, read }, bodies)
      const { changes, unchangedCount } = isDryRun
        ? await inVain(db, apply)
        : await db.transaction().execute(apply)
      return { changes, unchanged_count: unchangedCount, is_dry_run: isDryRun }
    },
  )
}

function given<T extends object>(sections: T): { [Name in keyof T]: NonNullable<T[Name]> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is undefined is left out
  return Object.fromEntries(Object.entries(sections).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]: NonNullable<T[Name]>
  }
}
