import { z } from '@hono/zod-openapi'
import Big from 'big.js'
import { toCeilings, toReserved, type CapacityColumns } from '#db/capacity.ts'
import { freeOf, offeredBy, type CapacityResource } from '#domain/capacity.ts'

const decimalOrNull = z.string().nullable()

const shareSchema = z
  .object({
    total: decimalOrNull,
    offered: decimalOrNull.openapi({
      description: 'The total times the efficiency, where that is about it.',
    }),
    reserved: z.string(),
    free: decimalOrNull.openapi({
      description: 'Below 0 where less is offered now than was reserved before.',
    }),
  })
  .openapi('CapacityShare')

export const capacitySchema = z
  .object({
    memory_mib: shareSchema,
    cpus: shareSchema,
    disk_mib: shareSchema,
    instances: shareSchema,
    ports: shareSchema,
    subnets: shareSchema,
  })
  .openapi('Capacity', { description: 'Decimals; null is not counted.' })

/** What is offered of a server, reserved and free. */
export function toCapacityJson(
  row: CapacityColumns & { readonly efficiency: string },
): z.input<typeof capacitySchema> {
  const total = toCeilings(row)
  const offered = offeredBy(total, row.efficiency)
  const reserved = toReserved(row)
  const free = freeOf(offered, reserved)
  const share = (of: CapacityResource) => ({
    total: total[of],
    offered: offered[of],
    reserved: reserved[of],
    free: free[of],
  })
  return {
    memory_mib: share('memoryMib'),
    cpus: share('cpus'),
    disk_mib: share('diskMib'),
    instances: share('instances'),
    ports: share('ports'),
    subnets: share('subnets'),
  }
}

function decimalField(greatest: number, what: string) {
  return z
    .union([z.string().max(20), z.number()])
    .transform(String)
    .refine(
      (text) => /^\d{1,6}(\.\d{1,4})?$/.test(text) && new Big(text).gt(0) && new Big(text).lte(greatest),
      {
        error: `${what} is a decimal above 0 and at most ${greatest}`,
      },
    )
}

const tagField = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
    'A tag has 1 to 40 lower case letters, digits and hyphens, and none at its ends',
  )

export const serverChangeSchema = z
  .strictObject({
    capacity: z
      .strictObject({
        memory_mib: z.int().min(1).max(100_000_000).nullish(),
        cpus: decimalField(100_000, 'A number of processors').nullish(),
        disk_mib: z.int().min(1).max(1_000_000_000_000).nullish(),
        instances: z.int().min(0).max(1_000_000).nullish(),
      })
      .optional()
      .openapi({ description: 'What it has. Null is not counted; what is left out stays.' }),
    efficiency: decimalField(10, 'An efficiency').optional().openapi({
      description:
        'The part of memory, processors and disk that is offered: "0.8". Above 1, more than there is.',
    }),
    tags: z.array(tagField).max(20).optional().openapi({
      description: 'It then takes only applications that ask for each of them.',
    }),
    draining: z.boolean().optional().openapi({ description: 'It takes nothing new, and keeps what it has.' }),
  })
  .openapi('ServerChange')
