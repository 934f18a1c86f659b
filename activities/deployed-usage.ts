import { createHash } from 'node:crypto'
import { z } from 'zod'
import { findSubscriptionsHere } from '#db/deployment.ts'
import { noteUsageTaken } from '#db/deployer.ts'
import { storePlaced, type IntakeResult, type SubjectReader } from '#db/usage-placing.ts'
import { keepRefusedUsageEvents } from '#db/refused-usage-event.ts'
import { fieldError, type BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { readUsageEvent, type UsageEvent } from '#domain/usage-event.ts'
import type { DeployerCall } from './deployer-call.ts'
import type { DatabaseDependencies } from './dependencies.ts'

const feedSchema = z.object({
  data: z.array(z.record(z.string(), z.unknown())),
  next: z.string().max(1_000).nullable(),
  resume: z.string().max(1_000),
})

const pageSize = 2_000

export interface TakenUsage {
  readonly stored: number
  readonly refused: number
}

/**
 * Takes over what was used there since the last time, as usage events of this installation: each once, by the name that it has
 * there, however often it is read. What counts for nothing here is kept among the refused ones, but what is not metered here.
 */
export async function takeUsage(
  deps: Pick<DatabaseDependencies, 'db'>,
  { deployer, ask }: DeployerCall,
): Promise<TakenUsage> {
  let after = deployer.usageCursor
  let [stored, refused] = [0, 0]
  for (;;) {
    const query = new URLSearchParams({ customer: deployer.customer, limit: String(pageSize) })
    if (after !== null) query.set('after', after)
    const page = feedSchema.parse(await ask({ method: 'GET', path: `/v1/usage-feed?${query.toString()}` }))
    const taken = await takePage(deps, deployer.id, page.data)
    stored += taken.stored
    refused += taken.refused
    if (page.next === null) {
      const now = new Date().toISOString()
      await noteUsageTaken(deps.db, deployer.id, { cursor: page.resume, now })
      return { stored, refused }
    }
    after = page.next
  }
}

type Fed = Readonly<Record<string, unknown>>

async function takePage(
  { db }: Pick<DatabaseDependencies, 'db'>,
  deployerId: string,
  page: readonly Fed[],
): Promise<TakenUsage> {
  const subscriptionsThere = new Set(page.map(({ subject }) => String(subject)))
  const subjects = await findSubscriptionsHere(db, deployerId, [...subscriptionsThere])
  const read = page.flatMap((fed) => {
    const here = subjects.get(String(fed['subject']))
    return here === undefined ? [] : [{ fed, event: toOwn(deployerId, fed, here) }]
  })
  const events = read.map(({ event }) => event)
  const now = () => new Date().toISOString()
  const results = await db
    .transaction()
    .execute(async (tx) => storePlaced({ db: tx, now, subjects: subjectsByUuid }, events))
  const refused = read.flatMap(({ fed }, index) => toRefused(fed, events[index], results[index]))
  await keepRefusedUsageEvents(db, { sender: encodeId('deployer', deployerId), now: now() }, refused)
  const stored = results.filter((result) => 'result' in result && result.result === 'stored').length
  return { stored, refused: refused.length }
}

/** Named as the other side names it, within names of the deployer: what another sender says is another event. */
function toOwn(deployerId: string, fed: Fed, subscriptionId: string): UsageEvent {
  const event = readUsageEvent(fed)
  return { ...event, source: sourceOf(deployerId, event.source), subscription: subscriptionId }
}

function sourceOf(deployerId: string, source: string): string {
  const prefix = `${encodeId('deployer', deployerId)}/`
  const isShort = prefix.length + source.length <= 200
  return prefix + (isShort ? source : createHash('sha256').update(source).digest('hex'))
}

/** The subscriptions were found by what was ordered there. */
const subjectsByUuid: SubjectReader = {
  read: async (_db, texts) => new Map([...texts].map((text) => [text, text])),
  unknown: () => fieldError('/subject', 'subscription_unknown', 'There is no such subscription.'),
}

function toRefused(fed: Fed, event: UsageEvent | undefined, result: IntakeResult | undefined) {
  if (event === undefined || result === undefined || !('refusal' in result)) return []
  const { code, message, fields }: BusinessError = result.refusal
  // Everything that is measured there is told; what is not sold by use here is nobody's concern.
  if (code === 'metric_unknown') return []
  const { source, id: eventId } = event
  const content = JSON.stringify({ ...fed, source, subject: encodeId('subscription', event.subscription) })
  const pointer = fields[0]?.pointer ?? null
  return [
    { name: `${source} ${eventId}`, source, eventId, content, isWhole: true, code, detail: message, pointer },
  ]
}
