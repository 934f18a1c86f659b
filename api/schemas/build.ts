import { z } from '@hono/zod-openapi'
import type { BuildRow, BuildStepRow } from '#db/read/build.ts'
import { encodeId } from '#domain/identifier.ts'
import { refuseCommand } from '#domain/subscription.ts'

const failureSchema = z.object({ code: z.string(), detail: z.string() }).nullable()

export const buildSchema = z
  .object({
    id: z.string(),
    subscription: z.string(),
    subscription_title: z.string(),
    kind: z.enum(['build', 'unbuild']),
    number: z.number().int(),
    state: z.enum(['planned', 'running', 'done', 'failed', 'undone']),
    failure: failureSchema,
    steps_done: z.number().int(),
    steps_total: z.number().int(),
    can_retry: z.boolean(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .openapi('Build')

export const buildStepSchema = z
  .object({
    id: z.string(),
    position: z.number().int(),
    kind: z.string(),
    name: z.string(),
    title: z.string(),
    environment: z.record(z.string(), z.string()).nullable().openapi({
      description: 'Of a container: as it was planned, with what was ordered; secrets stay ${NAME}.',
    }),
    instance: z.string(),
    server: z.string(),
    state: z.enum(['planned', 'running', 'done', 'failed', 'undone']),
    attempt: z.number().int(),
    progress: z.string().nullable(),
    failure: failureSchema,
    started_at: z.string().nullable(),
    finished_at: z.string().nullable(),
  })
  .openapi('BuildStep')

export const buildDetailSchema = buildSchema
  .extend({ steps: z.array(buildStepSchema) })
  .openapi('BuildDetail')

export function toBuildJson(row: BuildRow): z.input<typeof buildSchema> {
  return {
    id: encodeId('buildOrder', row.id),
    subscription: encodeId('subscription', row.subscription_id),
    subscription_title: row.subscription_title,
    kind: row.kind,
    number: row.number,
    state: row.state,
    failure: toFailureJson(row),
    steps_done: row.done_count,
    steps_total: row.step_count,
    can_retry: canRetry(row),
    created_at: row.created_at,
    finished_at: row.finished_at,
  }
}

/** Only the newest build of a subscription that waits for a person. */
export function canRetry(row: BuildRow): boolean {
  const standing = {
    phase: row.subscription_phase,
    isParked: row.is_subscription_parked,
    isCancelled: false,
  }
  return row.is_newest && refuseCommand(standing, 'retryBuild') === undefined
}

export function toBuildStepJson(row: BuildStepRow): z.input<typeof buildStepSchema> {
  return {
    id: encodeId('buildStep', row.id),
    position: row.position,
    kind: row.kind,
    name: row.name,
    title: row.title,
    environment: row.plan.kind === 'container' ? row.plan.environment : null,
    instance: encodeId('instance', row.instance_id),
    server: row.server_code,
    state: row.state,
    attempt: row.attempt,
    progress: row.progress,
    failure: toFailureJson(row),
    started_at: row.started_at,
    finished_at: row.finished_at,
  }
}

function toFailureJson(row: { failure_code: string | null; failure_detail: string | null }) {
  return row.failure_code === null ? null : { code: row.failure_code, detail: row.failure_detail ?? '' }
}
