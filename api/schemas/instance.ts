import { z } from '@hono/zod-openapi'
import type { InstanceRow, LimitCommandRow, MetricStateRow } from '#db/read/instance.ts'
import { encodeId } from '#domain/identifier.ts'
import type { SeenContainer } from '#domain/repair.ts'

const limitSchema = z.object({
  code: z.string(),
  sold_quantity: z.string(),
  in_force_quantity: z.string().nullable(),
  unit: z.string().nullable(),
  enforcement: z.enum(['hard', 'throttle', 'soft']),
  used_quantity: z.string().nullable().openapi({ description: 'As measured last; null: not yet.' }),
  reached_at: z.string().nullable().openapi({ description: 'Since when it is reached; null: it is not.' }),
  hold: z
    .object({
      way: z.enum(['block_ingress', 'block_network', 'read_only', 'stop', 'throttle_network']),
      volume: z.string().nullable().optional(),
      rate_kbit: z.int().optional().openapi({ description: 'Kilobits a second that it may still send.' }),
      held_at: z.string().nullable().openapi({ description: 'When it was seen in force.' }),
      failure: z.string().nullable().openapi({ description: 'Why it cannot be.' }),
    })
    .nullable()
    .openapi({
      description:
        'What is done from outside; null: the application or the engine holds it, or nothing does.',
    }),
})

export const instanceSchema = z
  .object({
    id: z.string(),
    subscription: z.string(),
    application: z.string(),
    application_title: z.string(),
    application_version: z.number().int(),
    notice: z.string().nullable(),
    name: z.string().openapi({ description: 'A part of its names on the server; it never changes.' }),
    display_name: z.string().nullable().openapi({ description: 'What people call it; null: by its name.' }),
    parent: z.string().nullable().openapi({ description: 'The instance that it is a part of.' }),
    parts: z
      .array(z.object({ id: z.string(), name: z.string(), state: z.string() }))
      .openapi({ description: 'Instances that it brought along, in the order in which they are started.' }),
    environment: z.string().openapi({ description: 'Prefix of the environment.' }),
    server: z.string(),
    placed_because: z
      .string()
      .nullable()
      .openapi({ description: 'Why it is on that server; null where nobody wrote it down.' }),
    state: z.string(),
    state_at: z.string(),
    observed_state: z
      .enum(['running', 'starting', 'degraded', 'stopped', 'absent'])
      .nullable()
      .openapi({ description: 'What was seen of its containers; null until somebody has looked.' }),
    observed_at: z.string().nullable().openapi({ description: 'When it was seen.' }),
    images: z
      .array(
        z.object({
          service: z.string(),
          reference: z.string().openapi({ description: 'As the application names it.' }),
          digest: z.string().openapi({
            description:
              'What that meant when it was first built, and what it runs since: by the registry, else by the engine.',
          }),
          image_id: z.string().openapi({ description: 'By the engine.' }),
        }),
      )
      .openapi({ description: 'One a service, once it was resolved.' }),
    address: z.string().nullable().openapi({ description: 'Where it answers, on its server.' }),
    limits: z.array(limitSchema),
    resources: z.array(
      z.object({ kind: z.string(), name: z.string(), component: z.string(), external_id: z.string() }),
    ),
    destroyed_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Instance')

function toLimitJson({ hold, held_at, hold_failure, ...limit }: InstanceRow['limits'][number]) {
  if (hold === null) return { ...limit, hold }
  const { way } = hold
  return {
    ...limit,
    hold: {
      way,
      ...('volume' in hold ? { volume: hold.volume } : {}),
      ...('rateKbit' in hold ? { rate_kbit: hold.rateKbit } : {}),
      held_at,
      failure: hold_failure,
    },
  }
}

export function toInstanceJson(row: InstanceRow): z.input<typeof instanceSchema> {
  return {
    id: encodeId('instance', row.id),
    subscription: encodeId('subscription', row.subscription_id),
    application: row.application_code,
    application_title: row.application_title,
    application_version: row.application_version,
    notice: row.notice,
    name: row.name,
    display_name: row.display_name,
    parent: row.parent_instance_id === null ? null : encodeId('instance', row.parent_instance_id),
    parts: row.parts.map(({ id, name, state }) => ({ id: encodeId('instance', id), name, state })),
    environment: row.environment_prefix,
    server: row.server_code,
    placed_because: row.placed_because,
    state: row.state,
    state_at: row.state_at,
    observed_state: row.observed_state,
    observed_at: row.observed_at,
    images: row.images,
    address: addressAt(row.host_port),
    limits: row.limits.map(toLimitJson),
    resources: row.resources,
    destroyed_at: row.destroyed_at,
    created_at: row.created_at,
  }
}

const limitCommandSchema = z
  .object({
    limit: z.string(),
    quantity: z.string(),
    command: z.array(z.string()),
    exit_code: z.number().int().nullable(),
    answer: z.string().nullable(),
    read_back: z.string().nullable(),
    duration_ms: z.number().int().nullable(),
    sent_at: z.string(),
  })
  .openapi('LimitCommand')

const metricStateSchema = z.object({
  code: z.string(),
  last: z.object({ value: z.string(), unit: z.string(), read_at: z.string() }).nullable().openapi({
    description: 'As the source gave it, the sum of what was read together; null: nothing was read yet.',
  }),
  interval_s: z.number().int().openapi({ description: 'How often it is read, in s.' }),
  next_reading_at: z
    .string()
    .nullable()
    .openapi({ description: 'null: it is not read now, for its instance is not in use.' }),
  failure: z
    .object({
      since: z.string(),
      code: z
        .string()
        .nullable()
        .openapi({ description: 'reading_without_value: the source answered, and gave none.' }),
      detail: z.string(),
    })
    .nullable()
    .openapi({ description: 'Why it cannot be read now.' }),
})

export function toMetricStateJson(row: MetricStateRow): z.input<typeof metricStateSchema> {
  const { value, unit, read_at: readAt, failing_since: since, failure, failure_code: code } = row
  return {
    code: row.metric,
    last: value === null || unit === null || readAt === null ? null : { value, unit, read_at: readAt },
    interval_s: row.interval_seconds,
    next_reading_at: row.next_reading_at,
    failure: since === null || failure === null ? null : { since, code, detail: failure },
  }
}

const seenContainerSchema = z.object({
  service: z.string(),
  name: z.string(),
  state: z.string().openapi({ description: 'In the words of the engine.' }),
  health: z.string(),
  exit_code: z.number().int().nullable(),
  restart_count: z.number().int().openapi({ description: 'How often its engine started it again.' }),
  started_at: z.string().nullable(),
})

export function toSeenContainerJson(seen: SeenContainer): z.input<typeof seenContainerSchema> {
  const { service, name, state, health, exitCode, restartCount, startedAt } = seen
  return {
    service,
    name,
    state,
    health,
    exit_code: exitCode,
    restart_count: restartCount,
    started_at: startedAt,
  }
}

export const instanceDetailSchema = instanceSchema
  .extend({
    containers: z.array(seenContainerSchema).openapi({ description: 'As they were seen at observed_at.' }),
    limit_commands: z.array(limitCommandSchema).openapi({ description: 'Newest first.' }),
    metrics: z.array(metricStateSchema),
  })
  .openapi('InstanceDetail')

export function toLimitCommandJson(row: LimitCommandRow): z.input<typeof limitCommandSchema> {
  return {
    limit: row.limit_code,
    quantity: row.quantity,
    command: row.command,
    exit_code: row.exit_code,
    answer: row.answer,
    read_back: row.read_back,
    duration_ms: row.duration_ms,
    sent_at: row.sent_at,
  }
}

/** Where what is published at a port of its server answers there. */
export function addressAt(hostPort: number | null): string | null {
  return hostPort === null ? null : `http://127.0.0.1:${hostPort}/`
}
