import { setSubnetPool } from '#db/subnet.ts'
import { readSubnets } from '#db/read/subnet.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { addressParams } from '../schemas/common.ts'
import { subnetPoolSchema, subnetsSchema, toSubnetsJson } from '../schemas/subnet.ts'

export function registerSubnets(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/servers/{id}/subnets',
      permission: 'servers:read',
      tag: 'Servers',
      summary: 'Read which addresses a server has for networks, and who has them',
      params: addressParams,
      result: subnetsSchema,
    },
    async ({ db, params }) =>
      toSubnetsJson(await readSubnets(db, await resolveAddress(db, 'server', params.id))),
  )
  frame.route(
    {
      method: 'put',
      path: '/v1/servers/{id}/subnets',
      permission: 'servers:write',
      tag: 'Servers',
      summary: 'Say from which addresses a server gives networks',
      description:
        'Environments that are there keep what they have. At most 4,096 subnets: the prefix of one is at most 12 longer than that of the pool.',
      params: addressParams,
      body: subnetPoolSchema,
      result: subnetsSchema,
      refusals: ['field_invalid'],
    },
    async ({ db, transaction, params, body }) => {
      const id = await resolveAddress(db, 'server', params.id)
      await setSubnetPool(transaction(), id, { pool: body.pool, prefixLength: body.prefix_length })
      return toSubnetsJson(await readSubnets(transaction(), id))
    },
  )
}
