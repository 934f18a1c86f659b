import { z } from '@hono/zod-openapi'
import type { BuildRow, BuildStepRow } from '#db/read/build.ts'
import { refuseBuildCommand, type BuildStanding } from '#domain/build-command.ts'
import { encodeId } from '#domain/identifier.ts'
import { refuseCommand } from '#domain/subscription.ts'

const failureSchema = z.object({ code: z.string(), detail: z.string() }).nullable()

export const queueSchema = z
  .object({
    server: z.string(),
    ahead: z.number().int().openapi({ description: 'Builds and unbuilds that have their turn before.' }),
  })
  .nullable()
  .openapi({ description: 'Where it waits for its turn; null once it has begun.' })

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
    running: z.array(z.string()).openapi({ description: 'Titles of the steps that are under way.' }),
    can_retry: z.boolean(),
    can_cancel: z.boolean(),
    created_at: z.string(),
    begun_at: z.string().nullable().openapi({ description: 'When its first step began.' }),
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
    waits_for: z
      .array(z.number().int())
      .nullable()
      .openapi({ description: 'Positions of the steps before it; null: each waits for the one before.' }),
    progress: z.string().nullable(),
    progress_at: z.string().nullable().openapi({ description: 'When it told so.' }),
    failure: failureSchema,
    log_tail: z
      .string()
      .nullable()
      .openapi({ description: 'The last lines of the container that it failed with.' }),
    started_at: z.string().nullable(),
    finished_at: z.string().nullable(),
    duration_ms: z
      .number()
      .int()
      .nullable()
      .openapi({ description: 'Of its last attempt; until now while it runs.' }),
    input: z.record(z.string(), z.unknown()).openapi({
      description: 'The step as it was planned: what is carried out. Secrets stay ${NAME}.',
    }),
    decision: z
      .object({
        kind: z.enum(['skip', 'mark_done']),
        actor: z.string(),
        reason: z.string(),
        at: z.string(),
      })
      .nullable()
      .openapi({ description: 'What an operator decided instead of its being carried out.' }),
    allowed_actions: z
      .array(z.enum(['resume', 'skip', 'mark-done']))
      .openapi({ description: 'POST /v1/builds/{id}/{action} with this step.' }),
  })
  .openapi('BuildStep')

export const buildDetailSchema = buildSchema
  .extend({ queue: queueSchema, steps: z.array(buildStepSchema) })
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
    running: [...row.running_titles],
    can_retry: canRetry(row),
    can_cancel: refuseBuildCommand('cancel', buildStandingOf(row), null) === undefined,
    created_at: row.created_at,
    begun_at: row.begun_at,
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

export function buildStandingOf(row: BuildRow): BuildStanding {
  return { kind: row.kind, state: row.state, canRetry: canRetry(row), isUndoing: row.is_undoing }
}

export const stepActions = { resume: 'resume', skip: 'skip', 'mark-done': 'mark_done' } as const

export function stepActionsOf(build: BuildRow, step: BuildStepRow): (keyof typeof stepActions)[] {
  const standing = buildStandingOf(build)
  const actions = ['resume', 'skip', 'mark-done'] as const
  return actions.filter((action) => {
    const isDecided = action !== 'resume' && step.decision !== null
    return !isDecided && refuseBuildCommand(stepActions[action], standing, step) === undefined
  })
}

/** @param now the instant up to which a step that runs has taken */
export function toBuildStepJson(
  build: BuildRow,
  row: BuildStepRow,
  now: string,
): z.input<typeof buildStepSchema> {
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
    waits_for: row.waits_for,
    progress: row.progress,
    progress_at: row.progress_at,
    failure: toFailureJson(row),
    log_tail: logTailOf(row),
    started_at: row.started_at,
    finished_at: row.finished_at,
    duration_ms: stepDurationMs(row, now),
    input: { ...row.plan },
    decision: toDecisionJson(row),
    allowed_actions: stepActionsOf(build, row),
  }
}

export function stepDurationMs(
  step: { started_at: string | null; finished_at: string | null },
  now: string,
): number | null {
  if (step.started_at === null) return null
  return Math.max(0, Date.parse(step.finished_at ?? now) - Date.parse(step.started_at))
}

/** What a container wrote stands below the first line of what the step failed with. */
function logTailOf({ failure_detail: detail }: BuildStepRow): string | null {
  const end = detail?.indexOf('\n') ?? -1
  return detail === null || end < 0 ? null : detail.slice(end + 1)
}

function toDecisionJson({
  decision,
  decided_by: actor,
  decision_reason: reason,
  decided_at: at,
}: BuildStepRow): z.input<typeof buildStepSchema>['decision'] {
  if (decision !== 'skip' && decision !== 'mark_done') return null
  return { kind: decision, actor: actor ?? '', reason: reason ?? '', at: at ?? '' }
}

function toFailureJson(row: { failure_code: string | null; failure_detail: string | null }) {
  return row.failure_code === null ? null : { code: row.failure_code, detail: row.failure_detail ?? '' }
}
