import { getDeployedInstance, listDeployedInstances, type DeployedInstance } from '#db/instance.ts'
import { tryInstanceLock } from '#db/instance-lock.ts'
import {
  failLink,
  listLinksOfSubscription,
  listLinksToMake,
  markLinkMade,
  takeLinkBack,
  takeOffer,
  type LinkSides,
  type LinkToMake,
} from '#db/link-change.ts'
import { listLinksOf, offeredBy, type LinkRow } from '#db/link.ts'
import { listOffering } from '#db/offering.ts'
import { recordRemoval, recordResource } from '#db/resource.ts'
import { openTask } from '#db/task.ts'
import type { ServiceCommand } from '#domain/application.ts'
import { containerName, planBuild, type EngineStep } from '#domain/build-plan.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { linkEnvironment, linkNetworkName, offeredValues } from '#domain/link-plan.ts'
import { chooseOffer } from '#domain/link.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { messageOf } from '#domain/errors.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { openLinkValues } from './secret.ts'

/** No link is begun later than this in one pass: the next pass comes in a minute. */
const LINKS_BEGIN_WITHIN_MS = 25_000

/** Links between instances that run: made without a restart once there is an offer, taken back when one side goes. */
export function createLinkActivities(deps: ServerDependencies) {
  const { db } = deps
  return {
    /** Makes what waits for an offer that is there now, each once; one that fails holds up no other. */
    async settleLinks(input: { serverId: string }): Promise<{ made: number; waiting: number }> {
      const endsMs = Date.now() + LINKS_BEGIN_WITHIN_MS
      return await withRunnerContext(async (ctx) => {
        const links = await listLinksToMake(db, decodeId('server', input.serverId))
        let made = 0
        for (const link of links) {
          if (Date.now() > endsMs) break
          if (await settle(deps, link, ctx)) made += 1
        }
        return { made, waiting: links.length - made }
      })
    },

    /** Before instances are removed: who is linked to them is told, and what they were linked to. */
    async takeBackLinks(input: { subscriptionId: string; serverId: string }): Promise<{ takenBack: number }> {
      const of = {
        subscriptionId: decodeId('subscription', input.subscriptionId),
        serverId: decodeId('server', input.serverId),
      }
      return await withRunnerContext(async (ctx) => {
        const links = await listLinksOfSubscription(db, of)
        for (const link of links) await takeBack(deps, link, ctx)
        return { takenBack: links.length }
      })
    },
  }
}

async function settle(deps: ServerDependencies, link: LinkToMake, ctx: RunnerContext): Promise<boolean> {
  const { db } = deps
  const isMade = await tryInstanceLock(db, link.wantingInstanceId, async () => {
    try {
      if (link.offeringInstanceId === null && !(await choose(deps, link))) return false
      await make(deps, link, ctx)
      return true
    } catch (error) {
      ctx.abortSignal.throwIfAborted()
      await failLink(db, link.id, messageOf(error))
      return false
    }
  })
  return isMade === true
}

/** Only what runs is an offer here: what is being built is one in a moment. */
async function choose(
  { db }: ServerDependencies,
  { id, want, wanting, customerId }: LinkToMake,
): Promise<boolean> {
  if (want === null) return false
  const candidates = await listOffering(db, {
    kinds: [want.kind],
    serverId: wanting.server,
    prefix: wanting.environment,
    customerId,
    named: [],
    isRunning: true,
  })
  const chosen = chooseOffer(want, wanting, candidates)
  if (chosen === null) return false
  const offeringInstanceId = decodeId('instance', chosen.offering.instance)
  return await takeOffer(db, id, { offeringInstanceId, reason: chosen.reason })
}

async function make(deps: ServerDependencies, link: LinkToMake, ctx: RunnerContext): Promise<void> {
  const { db, runner } = deps
  const row = await getLink(deps, link.wantingInstanceId, link.id)
  if (row === undefined) throw new Error('its offer is not there any more')
  const wanting = await getDeployedInstance(db, link.wantingInstanceId)
  for (const step of stepsOf(wanting, row)) {
    const { externalId } = await runner.ensure(step, ctx)
    if (step.kind === 'network')
      await recordResource(db, {
        instanceId: wanting.id,
        serverId: wanting.serverId,
        kind: 'network',
        name: step.name,
        externalId,
      })
  }
  await tellBoth(deps, row, 'onLink', ctx)
  await markLinkMade(db, link.id, new Date().toISOString())
}

async function getLink(
  { db }: ServerDependencies,
  instanceId: string,
  linkId: string,
): Promise<LinkRow | undefined> {
  const rows = await listLinksOf(db, [instanceId])
  return rows.find(({ id }) => id === linkId)
}

/** Of the plan with the link, those that are its own. */
function stepsOf({ definition, planned }: DeployedInstance, { id }: Pick<LinkRow, 'id'>): EngineStep[] {
  const link = encodeId('link', id)
  return planBuild(definition, planned).filter(
    (step) =>
      (step.kind === 'network' && step.name === linkNetworkName({ link })) ||
      (step.kind === 'link' && step.link === link),
  )
}

/** The offering side first: what the wanting one is told is true by then. The way back is the other way round. */
async function tellBoth(
  deps: ServerDependencies,
  row: LinkRow,
  when: 'onLink' | 'onUnlink',
  ctx: RunnerContext,
): Promise<void> {
  const { want, offer, wanting, offering } = row
  const toOffering = async () => await tell(deps, offering, offer?.[when], factsOf(row), ctx)
  const toWanting = async () => {
    if (want === null || offer === null) return
    const values = await openLinkValues(deps.db, deps.installationKey, row)
    const sealed = Object.entries(offeredValues(offer, offeredBy(row, offer))).filter(
      ([, value]) => value === null,
    )
    const secrets = Object.fromEntries(sealed.map(([name]) => [name, values[name] ?? '']))
    await tell(deps, wanting, want[when], { ...values, kind: row.kind, name: row.name }, { ...ctx, secrets })
  }
  const inOrder = when === 'onLink' ? [toOffering, toWanting] : [toWanting, toOffering]
  for (const one of inOrder) await one()
}

/** What the offering side is told of who wants: enough to keep a record of it under a name of its own. */
function factsOf({ kind, name, wanting }: LinkRow): Record<string, string> {
  return {
    kind,
    name,
    instance: encodeId('instance', wanting.id),
    instance_name: wanting.name,
    environment: wanting.prefix,
    ...(wanting.host_port === null ? {} : { host_port: String(wanting.host_port) }),
  }
}

async function tell(
  { runner }: ServerDependencies,
  side: LinkRow['wanting'],
  command: ServiceCommand | undefined,
  values: Readonly<Record<string, string>>,
  ctx: RunnerContext,
): Promise<void> {
  if (command === undefined) return
  const container = containerName({ environmentPrefix: side.prefix, name: side.name }, command.service)
  const { exitCode, stdout, stderr } = await runner.execute(
    { container, argv: command.command, environment: linkEnvironment(values) },
    ctx,
  )
  if (exitCode === 0) return
  const said = (stderr || stdout).trim().slice(-300)
  throw new Error(`${command.command[0] ?? ''} in ${container} ended with exit code ${exitCode}: ${said}`)
}

/** What cannot be told any more keeps nothing from ending: the side that goes is gone either way. */
async function takeBack(deps: ServerDependencies, link: LinkSides, ctx: RunnerContext): Promise<void> {
  const { db, runner } = deps
  const row = await getLink(deps, link.wanting_instance_id, link.id)
  if (row !== undefined) {
    await tellBoth(deps, row, 'onUnlink', ctx).catch(async (error: unknown) => {
      ctx.abortSignal.throwIfAborted()
      await failLink(db, link.id, messageOf(error))
    })
    const [wanting] = await listDeployedInstances(db, { instanceIds: [link.wanting_instance_id] })
    for (const step of wanting === undefined ? [] : stepsOf(wanting, row)) {
      if (step.kind !== 'network') continue
      await runner.remove(step, ctx)
      await recordRemoval(db, { instanceId: link.wanting_instance_id, kind: 'network', name: step.name })
    }
    if (!link.isWanting && link.is_required && !link.isEndAgreed) await openLossTask(deps, row)
  }
  const gone = link.isWanting ? 'wanting' : 'offering'
  await takeLinkBack(db, link.id, { gone, now: new Date().toISOString() })
}

async function openLossTask({ db }: ServerDependencies, { kind, wanting, offering }: LinkRow): Promise<void> {
  await openTask(db, {
    kind: 'link_lost',
    subjectKind: 'instance',
    subjectId: wanting.id,
    subject: `${wanting.name} has lost its ${kind}`,
    detail: `${offering.name}, which it needs, has ended. Restore its last backup, or end what needed it: npx clouder cancel ${encodeId('subscription', wanting.subscription_id)}`,
  })
}
