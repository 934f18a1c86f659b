import { BusinessError } from '#domain/errors.ts'
import type { InstanceCommandKind, InstanceCommandState } from '#domain/instance-command.ts'
import type { Db } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'
import { open, seal, type InstallationKey } from './sealing.ts'

export interface InstanceCommandKey {
  readonly instanceId: string
  readonly requestId: string
}

export interface AskedInstanceCommand extends InstanceCommandKey {
  readonly kind: InstanceCommandKind
  /** The action's code, or the secret's name. */
  readonly subject: string | null
  readonly actor: string
  readonly plain: Readonly<Record<string, string>>
  readonly secret: string | null
}

const secretField = 'secret'

/** Writes down what is asked, once: what is secret is sealed for this one command. */
export async function keepInstanceCommand(
  db: Db,
  asked: AskedInstanceCommand,
  key: InstallationKey | null,
): Promise<void> {
  const { secret, requestId } = asked
  if (secret !== null && key === null)
    throw new Error('what is said in secret cannot be sealed: there is no installation key')
  const sealed = secret === null || key === null ? null : seal(key, requestId, secretField, secret)
  await db
    .insertInto('instance_commands')
    .values({
      instance_id: asked.instanceId,
      request_id: requestId,
      kind: asked.kind,
      subject: asked.subject,
      actor: asked.actor,
      answers: JSON.stringify(asked.plain),
      key_id: sealed?.keyId ?? null,
      sealed: sealed?.sealed ?? null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export type InstanceCommand = Awaited<ReturnType<typeof getInstanceCommand>>

export async function getInstanceCommand(db: Db, key: InstanceCommandKey) {
  return await commandWith(db, key).executeTakeFirstOrThrow()
}

/** Undefined: it was never asked. */
export async function findInstanceCommand(
  db: Db,
  key: InstanceCommandKey,
): Promise<InstanceCommand | undefined> {
  return await commandWith(db, key).executeTakeFirst()
}

function commandWith(db: Db, { instanceId, requestId }: InstanceCommandKey) {
  return db
    .selectFrom('instance_commands')
    .selectAll()
    .where('instance_id', '=', instanceId)
    .where('request_id', '=', requestId)
}

export async function listInstanceCommands(db: Db, instanceId: string, limit: number) {
  return await db
    .selectFrom('instance_commands')
    .selectAll()
    .where('instance_id', '=', instanceId)
    .orderBy('asked_at', 'desc')
    .orderBy('request_id')
    .limit(limit)
    .execute()
}

/** The newest restart that was done; undefined where nobody has asked for one. */
export async function findLastRestart(db: Db, instanceId: string) {
  return await db
    .selectFrom('instance_commands')
    .select(['actor', 'finished_at'])
    .where('instance_id', '=', instanceId)
    .where('kind', '=', 'restart')
    .where('state', '=', 'done')
    .orderBy('asked_at', 'desc')
    .orderBy('request_id')
    .limit(1)
    .executeTakeFirst()
}

/** What was said in secret, where something was. */
export function openSaid(
  key: InstallationKey,
  { request_id: requestId, key_id: keyId, sealed }: InstanceCommand,
): string | null {
  return keyId === null || sealed === null ? null : open(key, requestId, { name: secretField, keyId, sealed })
}

/** Marks that it is carried out now. False where somebody marked it before. */
export async function beginInstanceCommand(
  db: Db,
  { instanceId, requestId }: InstanceCommandKey,
): Promise<boolean> {
  const begun = await db
    .updateTable('instance_commands')
    .set({ state: 'running' })
    .where('instance_id', '=', instanceId)
    .where('request_id', '=', requestId)
    .where('state', '=', 'asked')
    .returning('request_id')
    .executeTakeFirst()
  return begun !== undefined
}

export type InstanceCommandEnd =
  | { readonly state: 'done' | 'failed'; readonly exitCode?: number; readonly output?: string }
  | { readonly state: 'refused'; readonly code: string; readonly detail: string }

/** What came of it, with the event that tells who asked; what was said in secret is forgotten. Told again, nothing changes. */
export async function endInstanceCommand(
  db: Db,
  key: InstanceCommandKey,
  end: InstanceCommandEnd,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const ended = await tx
      .updateTable('instance_commands')
      .set({
        state: end.state,
        key_id: null,
        sealed: null,
        finished_at: new Date().toISOString(),
        ...(end.state === 'refused'
          ? { refusal_code: end.code, refusal_detail: end.detail }
          : { exit_code: end.exitCode ?? null, output: end.output ?? null }),
      })
      .where('instance_id', '=', key.instanceId)
      .where('request_id', '=', key.requestId)
      .where('finished_at', 'is', null)
      .returning(['kind', 'subject', 'actor', 'exit_code'])
      .executeTakeFirst()
    if (ended === undefined) return
    await tellOfInstance(tx, key.instanceId, eventOf(ended.kind, end.state), {
      by: ended.actor,
      ...(ended.subject === null ? {} : { subject: ended.subject }),
      ...(ended.exit_code === null ? {} : { exit_code: ended.exit_code }),
      ...(end.state === 'refused' ? { code: end.code, detail: end.detail.split('\n')[0] } : {}),
    })
  })
}

const done: Readonly<Record<InstanceCommandKind, EventKind>> = {
  restart: 'instance.restarted',
  action: 'instance.action_run',
  rotation: 'instance.secret_rotated',
  login: 'instance.logged_in',
}

function eventOf(kind: InstanceCommandKind, state: InstanceCommandState): EventKind {
  return state === 'refused' ? 'instance.command_refused' : done[kind]
}

/** Writes what happened to an instance into the timeline of its subscription. */
export async function tellOfInstance(
  tx: Db,
  instanceId: string,
  kind: EventKind,
  data: Record<string, unknown>,
): Promise<void> {
  const { subscription_id: subscriptionId, ...of } = await tx
    .selectFrom('instances')
    .innerJoin('subscriptions', 'subscriptions.id', 'instances.subscription_id')
    .select(['instances.subscription_id', 'instances.name', 'subscriptions.customer_id'])
    .where('instances.id', '=', instanceId)
    .executeTakeFirstOrThrow()
  await insertEvent(tx, {
    kind,
    customerId: of.customer_id,
    subscriptionId,
    data: { name: of.name, ...data },
  })
}

/** Where an instance and its subscription stand, and on which server. @throws `not_found` */
export async function readInstanceStanding(db: Db, instanceId: string) {
  const row = await db
    .selectFrom('instances')
    .innerJoin('subscriptions', 'subscriptions.id', 'instances.subscription_id')
    .select(['instances.state', 'instances.server_id', 'subscriptions.phase'])
    .where('instances.id', '=', instanceId)
    .executeTakeFirst()
  if (!row) throw new BusinessError('not_found', 'There is no such instance.')
  return row
}
