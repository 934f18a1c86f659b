import { z } from '@hono/zod-openapi'
import type { ApplicationRow } from '#db/read/application.ts'
import { encodeId } from '#domain/identifier.ts'
import { codeField, textField } from './common.ts'
import { actionSchema, toActionJson } from './instance-command.ts'
import { orderFieldSchema, toFieldJson } from './offer.ts'

export const newApplicationSchema = z
  .strictObject({
    code: codeField(40),
    compose: textField(262_144)
      .min(1)
      .openapi({ description: 'A compose file; an x-clouder block says more about it.' }),
    files: z
      .record(z.string().regex(/^[^/.][^\0]{0,200}$/, 'is not a path inside the folder'), textField(262_144))
      .default({})
      .openapi({
        description:
          'Text of the files that the compose file mounts or reads, by their path; of its icon, a data URL.',
      }),
    permissions: z
      .array(z.strictObject({ permission: textField(300).min(1), reason: textField(500).min(1) }))
      .max(50)
      .default([])
      .openapi({
        description:
          'What it may do on a server beyond what every application may. Needs the scope applications:grant.',
      }),
  })
  .openapi('NewApplication')

export const applicationSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    title: z.string(),
    version: z.number().int(),
    is_stand_in: z.boolean(),
    notice: z.string().nullable(),
    icon: z.string().nullable().openapi({ description: 'Its address: a PNG or JPEG.' }),
    permissions: z.array(z.string()),
    variables: z.array(
      z.object({ name: z.string(), is_required: z.boolean(), fallback: z.string().nullable() }),
    ),
    form: z
      .array(orderFieldSchema)
      .openapi({ description: 'What whoever orders it is asked, where its product asks nothing else.' }),
    actions: z.array(actionSchema).openapi({ description: 'What its instances do on request.' }),
    services: z.array(z.string()),
    metrics: z.array(
      z.object({
        code: z.string(),
        title: z.string(),
        unit: z.string(),
        kind: z.string(),
        interval_s: z
          .number()
          .int()
          .nullable()
          .openapi({ description: 'How often it is read, in s; null: at each tick of the sampler.' }),
        is_shared: z.boolean().openapi({ description: 'Defined for all applications: see /v1/metrics.' }),
      }),
    ),
    limits: z.array(z.object({ code: z.string(), title: z.string() })),
    compose: z.string(),
    archived_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Application')

export function toApplicationJson(row: ApplicationRow): z.input<typeof applicationSchema> {
  const { definition } = row
  return {
    id: encodeId('application', row.id),
    code: row.code,
    title: row.title,
    version: row.version,
    is_stand_in: definition.isStandIn,
    notice: definition.notice,
    icon: row.has_icon
      ? `/applications/${encodeId('application', row.id)}/versions/${row.version}/icon`
      : null,
    permissions: [...(definition.permissions ?? [])],
    variables: (definition.variables ?? [])
      .filter((variable) => variable.source === 'asked')
      .map(({ name, isRequired, fallback }) => ({ name, is_required: isRequired, fallback })),
    form: (definition.form ?? []).map(toFieldJson),
    actions: (definition.actions ?? []).map(toActionJson),
    services: definition.services.map((service) => service.name),
    metrics: definition.metrics.map(({ code, title, unit, kind, intervalS = null, isShared = false }) => ({
      code,
      title,
      unit,
      kind,
      interval_s: intervalS,
      is_shared: isShared,
    })),
    limits: definition.limits.map(({ code, title }) => ({ code, title })),
    compose: row.compose,
    archived_at: row.archived_at,
    created_at: row.created_at,
  }
}
