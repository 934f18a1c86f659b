import { z } from 'zod'
import { actionRights, type LoginDefinition } from '#domain/action.ts'
import type { MetricDefinition, MetricSource, PeerCapability } from '#domain/application.ts'
import { spendLimit } from '#domain/limit-hold.ts'
import { metricIntervalBounds } from '#domain/sampling-tick.ts'
import { aggregationsOf, metricAggregations } from '#domain/usage.ts'
import { isCountedUnit } from '#domain/unit.ts'
import { sources } from '../metrics/sources.ts'
import type { Findings, Path } from './finding.ts'
import { argumentList, code, objectName, title, variableName } from './object-name.ts'
import { action, formField } from './x-clouder-field.ts'
import { limit } from './x-clouder-limit.ts'

const port = z
  .union([z.string().regex(/^\d{1,5}$/), z.number().int()])
  .transform(Number)
  .refine((number) => number >= 1 && number <= 65_535, 'is not a port from 1 to 65535')
const serverTag = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'is not a tag of lower case letters, digits and hyphens')

const [first, ...others] = sources
const source = z.discriminatedUnion('type', [first.schema, ...others.map(({ schema }) => schema)])
const counts = (type: string): boolean =>
  sources.some((one) => one.type === type && 'counts' in one && one.counts)

const { leastS, greatestS } = metricIntervalBounds
const intervalField = z
  .int(`is not a whole number of seconds from ${leastS} to ${greatestS}`)
  .min(leastS, `is less than ${leastS} s`)
  .max(greatestS, `is more than ${greatestS} s`)
  .exactOptional()

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
    interval_s: intervalField,
  })
  .refine((of) => (of.percent === undefined) === (of.aggregation !== 'percentile'), {
    path: ['percent'],
    message: 'belongs to percentile, which needs it',
  })
  .refine((of) => (of.bucket_s === undefined) === (of.aggregation !== 'bucket_max'), {
    path: ['bucket_s'],
    message: 'belongs to bucket_max, which needs it',
  })
  .refine((of) => aggregationsOf(of.kind).includes(of.aggregation), {
    path: ['aggregation'],
    message: 'is not of a counter, which grows; write sum, count or unique_count, or kind: gauge',
  })
  .refine((of) => of.kind === 'counter' || !counts(of.source.type), {
    path: ['kind'],
    message: 'is not what the source gives, which counts; write kind: counter',
  })
  .refine((of) => isCountedUnit(of.unit) || !counts(of.source.type), {
    path: ['unit'],
    message: 'is not of things that are counted one by one; write piece or request',
  })
  .transform(({ bucket_s: bucketSeconds, interval_s: intervalS, ...of }) => ({
    ...of,
    ...(bucketSeconds === undefined ? {} : { bucketSeconds }),
    ...(intervalS === undefined ? {} : { intervalS }),
  }))

/** One that the operator has defined for all: the file says only where it stands here. */
const namedMetric: z.ZodType<NamedMetric> = z
  .strictObject({ metric: code, source, interval_s: intervalField })
  .transform(({ interval_s: intervalS, ...of }) => (intervalS === undefined ? of : { ...of, intervalS }))

/** A metric that is defined outside the file, by its code. */
export interface NamedMetric {
  readonly metric: string
  readonly source: MetricSource
  readonly intervalS?: number
}

const serviceCommand = z.strictObject({ service: objectName, command: argumentList })

const backup = z.strictObject({
  volumes: z.array(objectName).optional(),
  before: z.array(serviceCommand).default([]),
  after: z.array(serviceCommand).default([]),
  stop: z.boolean().default(true),
})

/** `host` and `port` are given by every offer; the rest by its values. */
const valueName = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'is not the name of a value: lower case letters')
const tag = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,39}$/, 'is not a tag of lower case letters and digits')

const want = z
  .strictObject({
    kind: code,
    name: code.optional(),
    required: z.boolean().default(true),
    automatic: z.boolean().default(true),
    tags: z.array(tag).default([]),
    variables: z.record(variableName, valueName).default({}),
    on_link: serviceCommand.exactOptional(),
    on_unlink: serviceCommand.exactOptional(),
  })
  .refine((of) => of.required || Object.keys(of.variables).length === 0, {
    path: ['variables'],
    message: 'is for required links; one that comes and goes while it runs tells its values to on_link',
  })

const offer = z
  .strictObject({
    kind: code,
    service: objectName,
    port: port.optional(),
    values: z
      .record(valueName, z.string().max(1000))
      .refine((values) => !('host' in values) && !('port' in values), 'has host or port; Clouder gives these')
      .default({}),
    shared: z.boolean().default(false),
    tags: z.array(tag).default([]),
    on_link: serviceCommand.exactOptional(),
    on_unlink: serviceCommand.exactOptional(),
  })
  .refine((of) => of.shared || of.tags.length === 0, {
    path: ['tags'],
    message: 'is for shared offers; write shared: true',
  })

const child = z.strictObject({ application: code, sequence: z.int().min(0).max(10_000).default(10) })

const uniqueBy = <T>(items: readonly T[], key: (item: T) => string): boolean =>
  new Set(items.map(key)).size === items.length

/** Lets somebody in: prints a path that logs in once. */
const login: z.ZodType<LoginDefinition> = z.strictObject({
  right: z.enum(actionRights).default('staff'),
  service: objectName,
  command: argumentList,
})

/** It is an installation of its own, and is billed by the one that builds it. */
const peer = z
  .strictObject({ service: objectName, invite: argumentList, address: variableName.optional() })
  .transform(({ service, invite: command, address = null }): PeerCapability => ({
    service,
    command,
    address,
  }))

/** The block by which a compose file says what an application is beside its containers. It may be left out. */
const xClouder = z
  .strictObject({
    title: title.optional(),
    notice: z.string().min(1).max(1000).optional(),
    /** A data URL, or a file of the application's folder. */
    icon: z.string().min(1).max(100_000).optional(),
    stand_in: z.boolean().default(false),
    public: z.strictObject({ service: objectName, port }).optional(),
    /** Services of these profiles are made; those of others are left out. */
    profiles: z.array(z.string().min(1)).default([]),
    secrets: z
      .array(
        z
          .strictObject({ name: variableName, length: z.number().int().min(12).max(128).optional() })
          .transform(({ name, length }) => ({ name, length: length ?? secretLength(name) })),
      )
      .refine((secrets) => uniqueBy(secrets, (one) => one.name), 'names a secret twice')
      .default([]),
    form: z
      .array(formField)
      .max(50)
      .refine((form) => uniqueBy(form, (one) => one.code), 'has a code twice')
      .refine((form) => uniqueBy(form, (one) => one.variable ?? ''), 'sets a variable twice')
      .default([]),
    actions: z
      .array(action)
      .max(50)
      .refine((actions) => uniqueBy(actions, (one) => one.code), 'has a code twice')
      .default([]),
    login: login.optional(),
    peer: peer.optional(),
    metrics: z
      .array(z.union([metric, namedMetric]))
      .refine(
        (metrics) => uniqueBy(metrics, (one) => ('metric' in one ? one.metric : one.code)),
        'has a code twice',
      )
      .default([]),
    limits: z
      .array(limit)
      .refine((limits) => uniqueBy(limits, (one) => one.code), 'has a code twice')
      .refine(
        (limits) => limits.every((one) => one.code !== spendLimit),
        `has a limit ${spendLimit}: that is what a spend cap holds by`,
      )
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
    /** How a copy of the volumes becomes a consistent one. */
    backup: backup.optional(),
    /** The tags of the servers that take it, and no others do. */
    tags: z
      .array(serverTag)
      .max(20)
      .refine((tags) => uniqueBy(tags, (tag) => tag), 'has a tag twice')
      .default([]),
    /** The disk that its volumes may come to hold: `10g`. */
    disk: z.union([z.string().max(20), z.int().min(1)]).optional(),
    /** What it needs of other applications. */
    wants: z
      .array(want)
      .refine((wants) => uniqueBy(wants, (one) => one.name ?? one.kind), 'has a name twice')
      .default([]),
    /** Applications that it brings along, by their codes. */
    children: z
      .array(child)
      .max(20)
      .refine((children) => uniqueBy(children, (one) => one.application), 'names an application twice')
      .default([]),
    /** What it has for others. */
    offers: z
      .array(offer)
      .refine((offers) => uniqueBy(offers, (one) => one.kind), 'has a kind twice')
      .default([]),
  })
  .refine((block) => !block.stand_in || block.notice !== undefined, {
    path: ['notice'],
    message: 'is missing: a stand-in says that it is one',
  })

export type XClouder = z.infer<typeof xClouder>

/** What people type is shorter than what only programs read (F-19). */
export function secretLength(name: string): number {
  return /(?:^|_)(?:PASSWORD|PASSWD|PASS)(?:_|$)/i.test(name) ? 20 : 50
}

/** @returns undefined where something in the block is refused; the findings say what */
export function readBlock(value: unknown, findings: Findings): XClouder | undefined {
  const result = xClouder.safeParse(value ?? {})
  if (result.success) return result.data
  for (const issue of result.error.issues) refuseIssue(issue, ['x-clouder'], findings)
  return undefined
}

/** Of the forms that a value may have, the one that was nearly met says best what is wrong. */
function refuseIssue(issue: z.core.$ZodIssue, prefix: Path, findings: Findings): void {
  const path = [...prefix, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys)
      findings.refuse([...path, key], `${key} is not a key of x-clouder`, 'remove it')
    return
  }
  const [nearest] =
    issue.code === 'invalid_union' ? issue.errors.toSorted((a, b) => distance(a) - distance(b)) : []
  if (nearest !== undefined) {
    for (const inner of nearest) refuseIssue(inner, path, findings)
    return
  }
  const [reason = '', remedy = 'write what is expected'] = issue.message.split('; ')
  findings.refuse(path, reason, remedy)
}

/** A form that has none of the keys that were written is further away than any wrong value. */
function distance(issues: readonly z.core.$ZodIssue[]): number {
  const isOther = issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0)
  const unknownKeys = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []))
  return (isOther ? 1_000 : 0) + unknownKeys.length
}
