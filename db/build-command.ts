import { sql } from 'kysely'
import {
  needsReason,
  refuseBuildCommand,
  type BuildCommandKind,
  type BuildStanding,
  type CommandedStep,
} from '#domain/build-command.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { insertWorkflowSignal } from './outbox.ts'

export interface AskedBuildCommand {
  readonly kind: BuildCommandKind
  readonly buildOrderId: string
  /** Null where it is about the whole build order. */
  readonly stepId: string | null
  readonly actor: string
  readonly reason: string | null
}

/** What a workflow reads of them: the reasons stay here. */
export interface KeptBuildCommand {
  readonly id: string
  readonly kind: BuildCommandKind
  readonly stepId: string | null
}

const eventKinds = {
  cancel: 'build.cancel_asked',
  resume: 'build.resumed',
  skip: 'build.step_skipped',
  mark_done: 'build.step_marked_done',
} as const

/** A build order as its commands see it, locked: what is asked of it at once is taken one after the other. */
export async function lockBuildStanding(
  tx: Tx,
  row: { id: string; kind: 'build' | 'unbuild'; is_undoing: boolean },
  canRetry: boolean,
): Promise<BuildStanding> {
  const { state } = await tx
    .selectFrom('build_orders')
    .select('state')
    .where('id', '=', row.id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  return { kind: row.kind, state, canRetry, isUndoing: row.is_undoing }
}

/**
 * Keeps a command with who asked and why, and has the workflow told, in the caller's transaction.
 * @param signal what the workflow of an order is told, and under which id it runs
 * @throws `action_not_allowed`, `reason_required`, and `not_found` for a step of another build order
 */
export async function commandBuild(
  tx: Tx,
  asked: AskedBuildCommand,
  target: { workflowId: string; signal: string; standing: BuildStanding },
): Promise<void> {
  const { kind, buildOrderId, stepId, actor, reason } = asked
  const step = stepId === null ? null : await readCommandedStep(tx, { buildOrderId, stepId })
  if (needsReason(kind) && reason === null)
    throw fieldError(
      '/reason',
      'reason_required',
      'Say why: what is left out is read by who comes after you.',
    )
  const refusal = refuseBuildCommand(kind, target.standing, step)
  if (refusal !== undefined) throw new BusinessError('action_not_allowed', refusal)
  const id = newId()
  const isKept = await insertCommand(tx, { id, ...asked })
  if (!isKept)
    throw new BusinessError('action_not_allowed', 'It is decided already what becomes of this step.')
  const order = await readOwner(tx, buildOrderId)
  await insertEvent(tx, {
    kind: eventKinds[kind],
    ...order,
    buildOrderId,
    data: {
      actor,
      ...(reason === null ? {} : { reason }),
      ...(stepId === null || step === null
        ? {}
        : { step: encodeId('buildStep', stepId), title: step.title, position: step.position }),
    },
  })
  if (target.standing.state === 'planned' || target.standing.state === 'running')
    await insertWorkflowSignal(tx, target, id)
}

async function insertCommand(tx: Tx, command: AskedBuildCommand & { id: string }): Promise<boolean> {
  const row = await tx
    .insertInto('build_commands')
    .values({
      id: command.id,
      build_order_id: command.buildOrderId,
      kind: command.kind,
      build_step_id: command.stepId,
      actor: command.actor,
      reason: command.reason,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

async function readCommandedStep(
  tx: Tx,
  { buildOrderId, stepId }: { buildOrderId: string; stepId: string },
): Promise<CommandedStep & { title: string; position: number }> {
  const step = await tx
    .selectFrom('build_steps')
    .select(['kind', 'state', 'title', 'position'])
    .where('id', '=', stepId)
    .where('build_order_id', '=', buildOrderId)
    .executeTakeFirst()
  if (!step) throw fieldError('/step', 'not_found', 'This build has no such step.')
  return step
}

async function readOwner(tx: Tx, buildOrderId: string) {
  return await tx
    .selectFrom('build_orders')
    .innerJoin('subscriptions', 'subscriptions.id', 'build_orders.subscription_id')
    .select(['subscription_id as subscriptionId', 'customer_id as customerId'])
    .where('build_orders.id', '=', buildOrderId)
    .executeTakeFirstOrThrow()
}

/** All that was asked of a build order, oldest first. */
export async function listBuildCommands(db: Db, buildOrderId: string): Promise<KeptBuildCommand[]> {
  return await db
    .selectFrom('build_commands')
    .select(['id', 'kind', 'build_step_id as stepId'])
    .where('build_order_id', '=', buildOrderId)
    .orderBy('id')
    .execute()
}

/** What was decided of a step instead of carrying it out, in a sentence; null: it is carried out. */
export async function findStepDecision(db: Db, stepId: string): Promise<string | null> {
  const row = await db
    .selectFrom('build_commands')
    .select(['kind', 'actor', 'reason'])
    .where('build_step_id', '=', stepId)
    .where('kind', 'in', ['skip', 'mark_done'])
    .executeTakeFirst()
  if (!row) return null
  return `${row.kind === 'skip' ? 'Skipped' : 'Marked as done'} by ${row.actor}: ${row.reason}`
}

/** What was decided of the steps of the build before holds for the same steps of its retry. */
export async function carryDecisionsOver(tx: Tx, buildOrderId: string): Promise<void> {
  const { rows } = await sql<{ stepId: string; kind: BuildCommandKind; actor: string; reason: string }>`
    select step.id as "stepId", command.kind, command.actor, command.reason
    from build_orders build
      join build_orders before on before.subscription_id = build.subscription_id and before.kind = build.kind
        and before.number = build.number - 1
      join build_commands command on command.build_order_id = before.id and command.kind in ('skip', 'mark_done')
      join build_steps decided on decided.id = command.build_step_id
      join build_steps step on step.build_order_id = build.id and step.instance_id = decided.instance_id
        and step.kind = decided.kind and step.name = decided.name
    where build.id = ${buildOrderId}`.execute(tx)
  for (const { stepId, ...decision } of rows) {
    await insertCommand(tx, { id: newId(), buildOrderId, stepId, ...decision })
  }
}
