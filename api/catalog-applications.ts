import type { Db } from '#db/database.ts'
import { inVain } from '#db/in-vain.ts'
import { findIdByCode } from '#db/read/address.ts'
import { listSharedMetrics } from '#db/shared-metric.ts'
import { BusinessError } from '#domain/errors.ts'
import {
  applyCatalog,
  holdsApplication,
  type Applying,
  type CatalogBodies,
  type Read,
} from './catalog-apply.ts'
import { readNewApplication, type NewApplication } from './routes/applications.ts'
import { newApplicationSchema } from './schemas/application.ts'

/**
 * Reads the applications of a catalog that are not held as they are, outside of any transaction: who reads a file is a process of
 * its own, and may be slow. They may name metrics of the same catalog. What one is refused for is thrown when its turn comes.
 * @throws what the metrics of the catalog are refused for, which come first
 */
export async function readCatalogApplications(
  at: Omit<Applying, 'read'>,
  catalog: CatalogBodies,
): Promise<Map<object, Read>> {
  const read = new Map<object, Read>()
  const { applications = [], metrics = [] } = catalog
  if (applications.length === 0) return read
  const sharedMetrics = await inVain(at.db, async (tx) => {
    await applyCatalog({ ...at, db: tx, read }, { metrics })
    return await listSharedMetrics(tx)
  })
  for (const entry of applications) {
    const { data: body } = newApplicationSchema.safeParse(entry)
    if (body === undefined || (await isHeld(at.db, body))) continue
    try {
      const definition = await readNewApplication(at.db, { ...at, body, sharedMetrics })
      read.set(entry, () => definition)
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error
      read.set(entry, () => {
        throw error
      })
    }
  }
  return read
}

async function isHeld(db: Db, body: NewApplication): Promise<boolean> {
  const id = await findIdByCode(db, 'application', body.code)
  return id !== undefined && (await holdsApplication(db, id, body))
}
