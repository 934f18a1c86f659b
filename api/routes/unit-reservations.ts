import { z } from '@hono/zod-openapi'
import { listUnitReservations } from '#db/read/unit-reservation.ts'
import { confirmUnits, getUnitReservation, releaseUnits, reserveUnits } from '#db/unit-reservation.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import {
  newUnitReservationSchema,
  toUnitReservationJson,
  unitLimitParams,
  unitReservationSchema,
} from '../schemas/unit-reservation.ts'

/** Units of a sold limit, handed out one by one: who has reserved one may use it, and nobody else can have it. */
export function registerUnitReservations(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/unit-reservations',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'List reservations of units, newest first',
      query: z.strictObject({
        ...pageQuery,
        instance: addressField.optional(),
        held: z.stringbool().optional().openapi({
          type: 'boolean',
          description: 'Whether they hold units: those that expired or were released do not.',
        }),
      }),
      result: pageOf(unitReservationSchema),
      refusals: ['not_found', 'id_kind_mismatch'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const asked = { kind: 'instance', pointer: '?instance', unknown: 'not_found' } as const
      const instanceId =
        query.instance === undefined ? null : await resolveField(db, { ...asked, text: query.instance })
      const rows = await listUnitReservations(db, { ...page, instanceId, isHeld: query.held ?? null })
      return toPage(rows, page, toUnitReservationJson)
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/instances/{id}/limits/{limit}/reservations',
      permission: 'usage:write',
      tag: 'Usage',
      summary: 'Reserve units of a limit',
      description:
        'All that are asked for, or none. Confirm what was made with them within a minute: what is not confirmed by then is nobody’s again.',
      params: unitLimitParams,
      body: newUnitReservationSchema,
      result: unitReservationSchema,
      status: 201,
      location: ({ id }) => `/v1/unit-reservations/${id}`,
      refusals: ['action_not_allowed', 'limit_reached', 'limit_unknown'],
    },
    async ({ db, params, body, principal }) => {
      const { quantity, reference = null } = body
      const instanceId = await resolveAddress(db, 'instance', params.id)
      const asked = { instanceId, code: params.limit, quantity, reference, actor: principal.name }
      return toUnitReservationJson(await reserveUnits(db, asked))
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/unit-reservations/{id}',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'Read a reservation of units',
      params: idParams,
      result: unitReservationSchema,
    },
    async ({ db, params }) =>
      toUnitReservationJson(
        await getUnitReservation(db, await resolveAddress(db, 'unitReservation', params.id)),
      ),
  )
  registerEnds(frame)
}

function registerEnds(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/unit-reservations/{id}/confirm',
      permission: 'usage:write',
      tag: 'Usage',
      summary: 'Confirm a reservation: its units are taken until they are released',
      params: idParams,
      result: unitReservationSchema,
      refusals: ['action_not_allowed', 'limit_reached'],
    },
    async ({ db, params }) =>
      toUnitReservationJson(await confirmUnits(db, await resolveAddress(db, 'unitReservation', params.id))),
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/unit-reservations/{id}/release',
      permission: 'usage:write',
      tag: 'Usage',
      summary: 'Give the units of a reservation back',
      params: idParams,
      result: unitReservationSchema,
    },
    async ({ db, params }) =>
      toUnitReservationJson(await releaseUnits(db, await resolveAddress(db, 'unitReservation', params.id))),
  )
}
