import { z } from '@hono/zod-openapi'
import type { SharedMetricRow } from '#db/read/shared-metric.ts'
import { toSharedMetric } from '#db/shared-metric.ts'
import { encodeId } from '#domain/identifier.ts'
import { metricLevels, pushedSource, sharedMetricKinds, type SharedMetric } from '#domain/shared-metric.ts'
import { metricAggregations } from '#domain/usage.ts'
import { codeField, nameField } from './common.ts'

const titleField = nameField.max(100)
const roundingField = z.strictObject({
  mode: z.enum(['up', 'down', 'nearest']),
  step: z.string().regex(/^(?!0*\.?0*$)\d{1,9}(\.\d{1,10})?$/, 'is not a decimal above 0'),
})

const measure = {
  code: codeField(40),
  title: titleField,
  unit: z.string().min(1).max(20).openapi({ example: 'GiB' }),
  kind: z.enum(sharedMetricKinds).openapi({
    description:
      'counter: billed by its growth. gauge: by one value of many. event: the sum of what is pushed.',
  }),
  aggregation: z.enum(metricAggregations),
  percent: z.number().gt(0).max(100).optional().openapi({ description: 'Of percentile.' }),
  bucket_s: z.int().min(10).max(86_400).optional().openapi({ description: 'Of bucket_max, in seconds.' }),
  rounding: roundingField
    .optional()
    .openapi({ description: 'To a multiple of a step of the product’s unit, before pricing.' }),
  level: z.enum(metricLevels).openapi({ description: 'What one value is of.' }),
}
const sourceTypeField = z
  .string()
  .regex(/^[a-z][a-z-]{0,39}$/, 'is not a type of source such as volume-disk')
  .openapi({
    description: `The one type of source that may give it, as x-clouder writes it, or ${pushedSource}. Left out: as each application says; of the kind event: ${pushedSource}.`,
  })

export const newMetricSchema = z
  .strictObject({
    ...measure,
    source_type: sourceTypeField.optional(),
    needs_history: z.boolean().default(false).openapi({
      description: 'What was missed is filled in later: only sources that keep history may give it.',
    }),
  })
  .openapi('NewMetric')

export const metricTitleSchema = z.strictObject({ title: titleField }).openapi('MetricTitle')

export const metricSchema = z
  .object({
    id: z.string(),
    ...measure,
    title: z.string(),
    percent: z.number().nullable(),
    bucket_s: z.number().int().nullable(),
    rounding: roundingField.nullable(),
    source_type: z.string().nullable(),
    needs_history: z.boolean(),
    application_count: z.number().int().openapi({ description: 'Whose newest version reads it.' }),
    product_count: z.number().int().openapi({ description: 'That bill it, or did.' }),
    archived_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Metric')

export function toMetricJson(row: SharedMetricRow): z.input<typeof metricSchema> {
  const { percent = null, bucketSeconds = null, rounding = null, ...metric } = toSharedMetric(row)
  return {
    id: encodeId('metric', row.id),
    code: metric.code,
    title: metric.title,
    unit: metric.unit,
    kind: metric.kind,
    aggregation: metric.aggregation,
    percent,
    bucket_s: bucketSeconds,
    rounding,
    level: metric.level,
    source_type: metric.sourceType,
    needs_history: metric.needsHistory,
    application_count: row.application_count,
    product_count: row.product_count,
    archived_at: row.archived_at,
    created_at: row.created_at,
  }
}

export function toNewMetric(body: z.output<typeof newMetricSchema>): SharedMetric {
  const { bucket_s: bucketSeconds, source_type: sourceType, percent, rounding, ...said } = body
  return {
    code: said.code,
    title: said.title,
    unit: said.unit,
    kind: said.kind,
    aggregation: said.aggregation,
    ...(percent === undefined ? {} : { percent }),
    ...(bucketSeconds === undefined ? {} : { bucketSeconds }),
    ...(rounding === undefined ? {} : { rounding }),
    level: said.level,
    sourceType: sourceType ?? (said.kind === 'event' ? pushedSource : null),
    needsHistory: said.needs_history,
  }
}
