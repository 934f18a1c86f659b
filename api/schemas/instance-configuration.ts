import { z } from '@hono/zod-openapi'
import type { InstanceRow } from '#db/read/instance.ts'
import { encodeId } from '#domain/identifier.ts'
import type { AskedConfiguration } from '#domain/instance-configuration.ts'
import type { ContainerChange } from '#domain/replacement.ts'
import { instanceSchema } from './instance.ts'

const limitsSchema = z
  .strictObject({
    memory_mib: z.number().int().min(6).max(16_777_216).nullish(),
    cpus: z.number().min(0.01).max(1_024).nullish(),
    pids: z.number().int().min(1).max(4_194_304).nullish(),
  })
  .openapi('GivenLimits', { description: 'Null: as its file says.' })

const configuration = {
  variables: z
    .record(z.string().max(100), z.string().max(4_000).nullable())
    .optional()
    .openapi({ description: 'Values of the application’s variables by name; null takes one back.' }),
  limits: z.record(z.string().max(100), limitsSchema).optional().openapi({ description: 'By service.' }),
}

export const askedConfigurationSchema = z.strictObject(configuration).openapi('AskedConfiguration')

export const instanceChangeSchema = z
  .strictObject({
    ...configuration,
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .nullable()
      .optional()
      .openapi({ description: 'What people call it. Names on the server stay; null takes it back.' }),
    apply: z
      .boolean()
      .default(true)
      .openapi({ description: 'False: it is only wanted, until POST /v1/instances/{id}/apply.' }),
    reason: z.string().trim().min(1).max(500).optional(),
  })
  .openapi('InstanceChange')

const differenceSchema = z.object({
  key: z.string().openapi({ example: 'memory_mib' }),
  wanted: z.string().nullable(),
  running: z.string().nullable(),
})

const containerChangeSchema = z
  .object({
    service: z.string(),
    container: z.string(),
    effect: z.enum(['kept', 'updated', 'replaced']).openapi({
      description:
        'updated: it runs on with other limits. replaced: it is stopped and made anew on its volumes.',
    }),
    differences: z.array(differenceSchema),
  })
  .openapi('ContainerChange')

export const configurationPreviewSchema = z
  .object({ instance: z.string(), containers: z.array(containerChangeSchema) })
  .openapi('ConfigurationPreview')

export const changedInstanceSchema = instanceSchema
  .extend({ containers: z.array(containerChangeSchema) })
  .openapi('ChangedInstance')

export const comparisonSchema = z
  .object({
    instance: z.string(),
    observed_state: z.string().nullable(),
    observed_at: z
      .string()
      .nullable()
      .openapi({ description: 'When the running configuration was seen; null until somebody has looked.' }),
    is_as_wanted: z.boolean(),
    differences: z
      .array(differenceSchema.extend({ service: z.string() }))
      .openapi({ description: 'Values that hold secrets are not among them; generation tells of these.' }),
  })
  .openapi('Comparison')

export function toAskedConfiguration(body: z.output<typeof askedConfigurationSchema>): AskedConfiguration {
  const limits = Object.entries(body.limits ?? {}).map(
    ([service, { memory_mib: memoryMib, ...others }]) => [service, { memoryMib, ...others }] as const,
  )
  return { variables: body.variables ?? {}, limits: Object.fromEntries(limits) }
}

export function toContainersJson(changes: readonly ContainerChange[]) {
  return changes.map((change) => ({ ...change, differences: [...change.differences] }))
}

export function toComparisonJson(row: InstanceRow): z.input<typeof comparisonSchema> {
  return {
    instance: encodeId('instance', row.id),
    observed_state: row.observed_state,
    observed_at: row.observed_at,
    is_as_wanted: row.observed_at !== null && row.observed_differences.length === 0,
    differences: row.observed_differences.map(({ service, key, wanted, running }) => ({
      service,
      key,
      wanted,
      running,
    })),
  }
}
