import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { addKitVersion, hideKit, lockKit } from '#db/kit.ts'
import { getKit, listKitVersions, type KitRow } from '#db/read/kit.ts'
import { countByKitVersion } from '#db/read/version.ts'
import { readSellerToday } from '#db/seller.ts'
import { resolveAddress } from '../addressing.ts'
import { compareVersions, showVersions, toVersionJson, type ShownVersion } from '../catalog-version.ts'
import type { Frame } from '../frame.ts'
import { addressParams } from '../schemas/common.ts'
import { kitChangeSchema, kitSchema, newKitSchema, toKitBody, toKitJson } from '../schemas/kit.ts'
import { versionPairQuery, versionPairSchema, versionShape } from '../schemas/version.ts'
import { parse } from '../validation.ts'
import { kitRefusals, toNewKit } from './kits.ts'

const kitVersionsSchema = z
  .object({ data: z.array(z.object({ ...versionShape, kit: kitSchema })) })
  .openapi('KitVersions')

export function registerKitVersions(frame: Frame): void {
  registerKitChange(frame)
  frame.route(
    {
      method: 'get',
      path: '/v1/kits/{id}/versions',
      permission: 'kits:read',
      tag: 'Catalog',
      summary: 'List the versions of a kit',
      params: addressParams,
      result: kitVersionsSchema,
    },
    async ({ db, params, now }) => {
      const shown = await readKitVersions(db, await resolveAddress(db, 'kit', params.id), now)
      return { data: shown.map((one) => ({ ...toVersionJson(one), kit: toKitJson(one.row) })) }
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/kits/{id}/difference',
      permission: 'kits:read',
      tag: 'Catalog',
      summary: 'Compare two versions of a kit',
      params: addressParams,
      query: versionPairQuery,
      result: versionPairSchema,
    },
    async ({ db, params, query }) => {
      const rows = await listKitVersions(db, await resolveAddress(db, 'kit', params.id))
      return compareVersions(rows, query, toKitBody)
    },
  )
}

/** Oldest first. */
export async function readKitVersions(db: Db, kitId: string, now: string): Promise<ShownVersion<KitRow>[]> {
  const rows = await listKitVersions(db, kitId)
  const counts = await countByKitVersion(db, kitId)
  return showVersions(rows, { today: await readSellerToday(db, now), counts, toBody: toKitBody })
}

function registerKitChange(frame: Frame): void {
  frame.route(
    {
      method: 'patch',
      path: '/v1/kits/{id}',
      permission: 'kits:write',
      tag: 'Catalog',
      summary: 'Change a kit',
      description:
        'What is left out stays; a bill of materials takes the place of the one before. The change makes a version, which orders get from its day on; what is sold stays as it is. Where nothing changes, none is made.',
      params: addressParams,
      body: kitChangeSchema,
      result: kitSchema,
      refusals: kitRefusals,
    },
    async ({ db, params, body, now }) => {
      const id = await resolveAddress(db, 'kit', params.id)
      return toKitJson(await changeKit(db, { id, body, now }))
    },
  )
}

/** @returns the kit as it is from the day on @throws as the making of one */
export async function changeKit(
  db: Db,
  asked: { id: string; body: z.output<typeof kitChangeSchema>; now: string },
): Promise<KitRow> {
  const { id, now } = asked
  const { effective_on: day, ...change } = asked.body
  await lockKit(db, id)
  const on = day ?? (await readSellerToday(db, now))
  const held = toKitBody(await getKit(db, id, on))
  const kit = await toNewKit(db, parse(newKitSchema, { ...held, ...change }, 'body'), { id, on })
  await addKitVersion(db, kit, { kitId: id, effectiveOn: on })
  await hideKit(db, id, kit.isHidden ?? false)
  return await getKit(db, id, on)
}
