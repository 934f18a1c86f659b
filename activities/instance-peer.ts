import { setTimeout as sleep } from 'node:timers/promises'
import { findStepDecision } from '#db/build-command.ts'
import type { StepDetail } from '#db/build-step.ts'
import {
  acceptInstance,
  adoptPeer,
  endPeer,
  findInstancePeer,
  readOrderBegun,
  type InstancePeer,
} from '#db/instance-peer.ts'
import type { DeployedInstance } from '#db/instance.ts'
import { listFilelessDocuments } from '#db/peer-file.ts'
import { readBacklog } from '#db/peer-queue.ts'
import type { PeerStep } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { invitationLifetimeMs, requireInvitation } from '#domain/peer.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'

const lookEachMs = 250
/** Then the attempt says what it waits for, and another one goes on. */
const attemptMs = 5_000
const invitesWithinMs = 60_000
/** What an installation that ends does not take for so long, a person decides about. */
const patienceMs = 60 * 60_000
const actor = 'clouder'

type Deps = ServerDependencies
interface Work {
  readonly plan: PeerStep
  readonly instance: DeployedInstance
}

/**
 * Makes an installation that was built a peer of this one: it invites, and is accepted for the customer it was built for. Done before,
 * it finds the peer that is there.
 * @throws `peer_taken`, `peer_url_refused`, `invitation_invalid`, `invitation_expired`, `peer_refuses`
 */
export async function pairInstance(
  deps: Deps,
  { plan, instance }: Work,
  ctx: RunnerContext,
): Promise<string> {
  const { db } = deps
  if ((await findInstancePeer(db, instance.id)) === undefined) await accept(deps, { plan, instance }, ctx)
  const untilMs = Date.now() + attemptMs
  for (;;) {
    const peer = await findInstancePeer(db, instance.id)
    if (peer === undefined) throw new Error('its peer was closed meanwhile')
    if (peer.state === 'active' || peer.state === 'halted')
      return `${encodeId('peer', peer.id)} is ${peer.state}`
    await refuseInVain(deps, peer, plan)
    if (Date.now() > untilMs)
      throw new Error(`${encodeId('peer', peer.id)} waits for an answer of ${plan.url}`)
    ctx.onProgress(`waits for an answer of ${plan.url}`)
    await sleep(lookEachMs, undefined, { signal: ctx.abortSignal })
  }
}

async function accept(
  { db, runner, installationKey }: Deps,
  { plan, instance }: Work,
  ctx: RunnerContext,
): Promise<void> {
  const customerId = decodeId('customer', instance.planned.customer)
  if (await adoptPeer(db, { instanceId: instance.id, customerId, url: plan.url })) return
  ctx.onProgress(`asks ${plan.container} for an invitation`)
  const request = { container: plan.container, argv: plan.command, deadlineMs: invitesWithinMs }
  const { exitCode, stdout, stderr } = await runner.execute(request, ctx)
  if (exitCode !== 0)
    throw new Error(`${plan.container} does not invite, exit code ${exitCode}: ${stderr.trim().slice(-300)}`)
  const invitation = requireInvitation(stdout, plan.url)
  const of = {
    instanceId: instance.id,
    customerId,
    invitation: { ...invitation, otherPeerId: decodeId('peer', invitation.peer) },
  }
  await acceptInstance(db, of, installationKey, { actor, now: new Date().toISOString() })
}

/** What was refused over there, or was not answered while it held, is worth nothing any more: a retry has another invitation made. */
async function refuseInVain(deps: Deps, peer: InstancePeer, { url }: PeerStep): Promise<void> {
  const isExpired = Date.parse(peer.createdAt) + invitationLifetimeMs < Date.now()
  if (peer.refusal === null && !isExpired) return
  const detail = peer.refusal ?? `${url} has not answered while its invitation held. Is it reached from here?`
  await close(deps, peer, detail)
  throw new BusinessError(peer.refusal === null ? 'invitation_expired' : 'peer_refuses', detail)
}

/** The undo of the step. */
export async function unpairInstance(deps: Deps, { instanceId }: StepDetail): Promise<string> {
  const peer = await findInstancePeer(deps.db, instanceId)
  if (peer === undefined) return 'nothing to undo'
  return await close(deps, peer, 'Its build was undone.')
}

/**
 * Lets an installation that ends go once it has all that it is to be sent: its last bill is in its own books before it stops.
 * An operator may skip the step: then it is let go as it is.
 * @throws `peer_halted` for one that takes nothing before a person has settled why, `peer_messages_wait` after an hour
 */
export async function letPeerGo(deps: Deps, step: StepDetail, ctx: RunnerContext): Promise<string> {
  const peer = await findInstancePeer(deps.db, step.instanceId)
  if (peer === undefined) return 'there is no peer any more'
  const decision = await findStepDecision(deps.db, step.id)
  if (decision !== null) return await close(deps, peer, decision)
  // One that never answered was never sent anything.
  if (peer.state !== 'accepting') await untilDelivered(deps, { step, peer }, ctx)
  return await close(deps, peer, 'Its subscription ended, and it has all that was to be sent.')
}

async function untilDelivered(
  { db }: Deps,
  { step, peer }: { step: StepDetail; peer: InstancePeer },
  ctx: RunnerContext,
): Promise<void> {
  if (peer.state === 'halted')
    throw new BusinessError(
      'peer_halted',
      `It takes nothing until this is settled: ${peer.haltedReason}. Resume the peer and retry, or skip the step.`,
    )
  const untilMs = Date.now() + attemptMs
  for (;;) {
    // In this order: files that are laid down in between are seen to wait.
    const fileless = await listFilelessDocuments(db, peer.id, 1)
    const { waiting, since } = await readBacklog(db, peer.id)
    if (waiting === 0 && fileless.length === 0) return
    const detail =
      waiting === 0
        ? `the files of ${fileless[0]?.number} are being made for it`
        : `${waiting} messages wait for it since ${since}`
    ctx.onProgress(detail)
    const begunAt = await readOrderBegun(db, step.buildOrderId)
    if (begunAt !== null && Date.parse(begunAt) + patienceMs < Date.now())
      throw new BusinessError(
        'peer_messages_wait',
        `${detail}. Retry once it answers, or skip the step: then it ends without them.`,
      )
    if (Date.now() > untilMs) throw new Error(`${detail}; they are sent by themselves once it answers`)
    await sleep(lookEachMs, undefined, { signal: ctx.abortSignal })
  }
}

async function close({ db }: Deps, peer: InstancePeer, reason: string): Promise<string> {
  const by = { actor, now: new Date().toISOString(), reason }
  await db.transaction().execute(async (tx) => endPeer(tx, peer.id, by))
  return `${encodeId('peer', peer.id)} is closed: ${reason}`
}
