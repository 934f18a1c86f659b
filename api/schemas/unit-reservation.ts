import { z } from '@hono/zod-openapi'
import type { UnitReservationRow } from '#db/unit-reservation.ts'
import { encodeId } from '#domain/identifier.ts'
import { addressField, nameField } from './common.ts'

export const unitLimitParams = z.object({
  id: addressField.openapi({ description: 'An id.' }),
  limit: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'A limit’s code has 1 to 40 lower case letters, digits, - and _')
    .openapi({ description: 'A limit of the application with reserved: true.' }),
})

export const newUnitReservationSchema = z
  .strictObject({
    quantity: z
      .string()
      .regex(/^(?!0*\.?0*$)\d{1,12}(\.\d{1,10})?$/, 'A quantity is a decimal above 0 as text, such as "1"')
      .default('1'),
    reference: nameField.nullish().openapi({ description: 'What it is for, in the caller’s own words.' }),
  })
  .openapi('NewUnitReservation')

export const unitReservationSchema = z
  .object({
    id: z.string(),
    instance: z.string(),
    limit: z.string(),
    quantity: z.string(),
    reference: z.string().nullable(),
    state: z.enum(['reserved', 'confirmed', 'released', 'expired']),
    reserved_at: z.string(),
    reserved_by: z.string(),
    expires_at: z.string().openapi({ description: 'Unconfirmed by then, it is nobody’s again.' }),
    confirmed_at: z.string().nullable(),
    released_at: z.string().nullable(),
  })
  .openapi('UnitReservation')

export function toUnitReservationJson(row: UnitReservationRow): z.input<typeof unitReservationSchema> {
  return {
    id: encodeId('unitReservation', row.id),
    instance: encodeId('instance', row.instance_id),
    limit: row.limit_code,
    quantity: row.quantity,
    reference: row.reference,
    state: stateOf(row),
    reserved_at: row.reserved_at,
    reserved_by: row.reserved_by,
    expires_at: row.expires_at,
    confirmed_at: row.confirmed_at,
    released_at: row.released_at,
  }
}

function stateOf(row: UnitReservationRow): 'reserved' | 'confirmed' | 'released' | 'expired' {
  if (row.released_at !== null) return 'released'
  if (row.confirmed_at !== null) return 'confirmed'
  return row.is_expired ? 'expired' : 'reserved'
}
