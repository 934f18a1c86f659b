import { z } from '@hono/zod-openapi'
import type { Amounts } from '#domain/capacity.ts'
import { encodeId } from '#domain/identifier.ts'
import { placementReasons, type Placement } from '#domain/placement.ts'

const amountsSchema = z.object({
  memory_mib: z.string(),
  cpus: z.string(),
  disk_mib: z.string(),
  instances: z.string(),
  ports: z.string(),
  subnets: z.string(),
})

export const placementSchema = z
  .object({
    applications: z.array(z.string()).openapi({ description: 'They go together.' }),
    takes: amountsSchema.openapi({
      description: 'What they take together, without their environment’s subnet.',
    }),
    server: z.string().nullable().openapi({ description: 'Null: no server can take them.' }),
    servers: z
      .array(
        z.object({
          id: z.string(),
          server: z.string(),
          fits: z.boolean(),
          is_chosen: z.boolean(),
          reasons: z.array(z.object({ code: z.enum(placementReasons), detail: z.string() })),
        }),
      )
      .openapi({ description: 'Why it is this server, and why no other: every server with its reasons.' }),
  })
  .openapi('Placement')

export function toPlacementJson(placement: Placement): z.input<typeof placementSchema> {
  return {
    applications: [...placement.applications],
    takes: toAmountsJson(placement.takes),
    server: placement.servers.find(({ isChosen }) => isChosen)?.server ?? null,
    servers: placement.servers.map(({ serverId, server, fits, isChosen, reasons }) => ({
      id: encodeId('server', serverId),
      server,
      fits,
      is_chosen: isChosen,
      reasons: reasons.map(({ code, detail }) => ({ code, detail })),
    })),
  }
}

function toAmountsJson(amounts: Amounts): z.input<typeof amountsSchema> {
  return {
    memory_mib: amounts.memoryMib,
    cpus: amounts.cpus,
    disk_mib: amounts.diskMib,
    instances: amounts.instances,
    ports: amounts.ports,
    subnets: amounts.subnets,
  }
}
