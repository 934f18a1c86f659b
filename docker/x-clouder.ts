import { z } from 'zod'
import type { LimitDefinition, MetricDefinition } from '#domain/application.ts'
import { metricAggregations } from '#domain/usage.ts'
import { argumentList, port, objectName, variableName } from './compose-values.ts'

const code = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'is not a code of lower case letters, digits, - and _')
const title = z.string().min(1).max(100)

const source = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('engine-network') }),
  z.strictObject({ type: z.literal('volume-disk'), volume: objectName }),
  z.strictObject({ type: z.literal('command'), service: objectName, command: argumentList }),
])

const metric: z.ZodType<MetricDefinition> = z
  .strictObject({
    code,
    title,
    unit: z.string().min(1).max(20),
    kind: z.enum(['counter', 'gauge']),
    aggregation: z.enum(metricAggregations),
    percent: z.number().gt(0).max(100).exactOptional(),
    bucket_s: z.int().min(10).max(86_400).exactOptional(),
    rounding: z
      .strictObject({
        mode: z.enum(['up', 'down', 'nearest']),
        step: z.string().regex(/^(?!0*\.?0*$)\d{1,9}(\.\d{1,10})?$/, 'is not a decimal above 0'),
      })
      .exactOptional(),
    source,
  })
  .refine((of) => (of.percent === undefined) === (of.aggregation !== 'percentile'), {
    path: ['percent'],
    message: 'belongs to percentile, which needs it',
  })
  .refine((of) => (of.bucket_s === undefined) === (of.aggregation !== 'bucket_max'), {
    path: ['bucket_s'],
    message: 'belongs to bucket_max, which needs it',
  })
  .transform(({ bucket_s: bucketSeconds, ...of }) =>
    bucketSeconds === undefined ? of : { ...of, bucketSeconds },
  )

const limit: z.ZodType<LimitDefinition> = z.strictObject({
  code,
  title,
  service: objectName,
  set: argumentList.refine(
    (list) => list.slice(1).filter((argument) => argument === '{value}').length === 1,
    'does not have {value} as one argument of its own',
  ),
  read: argumentList,
  use: argumentList,
})

const uniqueBy = <T>(items: readonly T[], key: (item: T) => string): boolean =>
  new Set(items.map(key)).size === items.length

/** The block that makes a compose file an application. */
export const xClouder = z
  .strictObject({
    title,
    notice: z.string().min(1).max(1000).optional(),
    stand_in: z.boolean().default(false),
    public: z.strictObject({ service: objectName, port }).optional(),
    secrets: z
      .array(z.strictObject({ name: variableName, length: z.number().int().min(12).max(128) }))
      .refine((secrets) => uniqueBy(secrets, (one) => one.name), 'names a secret twice')
      .default([]),
    metrics: z
      .array(metric)
      .refine((metrics) => uniqueBy(metrics, (one) => one.code), 'has a code twice')
      .default([]),
    limits: z
      .array(limit)
      .refine((limits) => uniqueBy(limits, (one) => one.code), 'has a code twice')
      .default([]),
    ready: z
      .strictObject({
        path: z
          .string()
          .regex(/^\/[!-~]*$/, 'is not a path from / on')
          .default('/'),
        timeout_s: z.number().int().min(1).max(3600).default(120),
      })
      .default({ path: '/', timeout_s: 120 }),
  })
  .refine((block) => !block.stand_in || block.notice !== undefined, {
    path: ['notice'],
    message: 'is missing: a stand-in says that it is one',
  })

export type XClouder = z.infer<typeof xClouder>
