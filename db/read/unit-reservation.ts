import type { Db } from '../database.ts'
import { isStillHeld, unitReservations, type UnitReservationRow } from '../unit-reservation.ts'
import { onPage, type PageRequest } from './page.ts'

export async function listUnitReservations(
  db: Db,
  page: PageRequest & { instanceId: string | null; isHeld: boolean | null },
): Promise<UnitReservationRow[]> {
  let query = onPage(unitReservations(db), page, 'unit_reservations.id')
  if (page.instanceId !== null) query = query.where('instance_id', '=', page.instanceId)
  if (page.isHeld !== null) query = query.where(isStillHeld, '=', page.isHeld)
  return await query.execute()
}
