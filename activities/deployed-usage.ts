import { createHash } from 'node:crypto'
import { z } from 'zod'
import { findSubscriptionsHere } from '#db/deployment.ts'
import { noteUsagePage, noteUsageTaken } from '#db/deployer.ts'
import { storePlaced, withRead, type IntakeResult, type SubjectReader } from '#db/usage-placing.ts'
import { keepRefusedUsageEvents, toRefusedUsageEvent } from '#db/refused-usage-event.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { readUsageEvent, type UsageEvent } from '#domain/usage-event.ts'
import type { DeployerCall } from './deployer-call.ts'
import type { DatabaseDependencies } from './dependencies.ts'

const pageSize = 2_000

/** Kept, and given back: nothing that the database cannot hold. */
const placeSchema = z.string().regex(/^[ -~]{1,1000}$/)

/** Each event is read by itself: one that is none holds up no other. */
const feedSchema = z.object({
  data: z.array(z.unknown()).max(pageSize),
  next: placeSchema.nullable(),
  resume: placeSchema,
})

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
  { deployer, ask }: Pick<DeployerCall, 'deployer' | 'ask'>,
): Promise<TakenUsage> {
  const passed = new Set<string>()
  let reading = deployer.usageReading
  let after = reading?.next ?? deployer.usageCursor
  let [stored, refused] = [0, 0]
  for (;;) {
    const begunAt: string = reading?.begunAt ?? new Date().toISOString()
    const page = await readPage(deployer.customer, after, ask)
    const taken = await takePage(deps, deployer.id, page.data)
    stored += taken.stored
    refused += taken.refused
    const resume: string = reading?.resume ?? page.resume
    if (page.next === null) {
      await noteUsageTaken(deps.db, deployer.id, { cursor: resume, begunAt })
      return { stored, refused }
    }
    if (passed.has(page.next)) throw new Error(`the usage feed of ${deployer.code} goes round in a circle`)
    passed.add(page.next)
    after = page.next
    reading = { next: page.next, resume, begunAt }
    await noteUsagePage(deps.db, deployer.id, reading)
  }
}

/** What is refused as a place was none of the other side's: from the beginning, each event counts once all the same. */
async function readPage(customer: string, after: string | null, ask: DeployerCall['ask']) {
  const query = new URLSearchParams({ customer, limit: String(pageSize) })
  if (after !== null) query.set('after', after)
  try {
    return feedSchema.parse(await ask({ method: 'GET', path: `/v1/usage-feed?${query.toString()}` }))
  } catch (error) {
    const isNoPlace = error instanceof BusinessError && /\bfield_invalid\b/.test(error.message)
    if (!isNoPlace || after === null) throw error
    return await readPage(customer, null, ask)
  }
}

async function takePage(
  { db }: Pick<DatabaseDependencies, 'db'>,
  deployerId: string,
  page: readonly unknown[],
): Promise<TakenUsage> {
  const namesThere = page.flatMap((fed) => subscriptionThere(fed) ?? [])
  const subjects = await findSubscriptionsHere(db, deployerId, [...new Set(namesThere)])
  const sent = page.flatMap((fed) => {
    const there = subscriptionThere(fed)
    const here = there === undefined ? undefined : subjects.get(there)
    // What is used by others is not ours to take, nor to refuse; of what names nobody a person is told.
    return there !== undefined && here === undefined ? [] : [toOwn(deployerId, fed, here)]
  })
  const now = () => new Date().toISOString()
  const results = await withRead<unknown, UsageEvent, IntakeResult>(sent, readUsageEvent, async (events) =>
    db.transaction().execute(async (tx) => storePlaced({ db: tx, now, subjects: subjectsById }, events)),
  )
  const refused = results.flatMap((result, index) =>
    // Everything that is measured there is told; what is not sold by use here is nobody's concern.
    'refusal' in result && result.refusal.code !== 'metric_unknown'
      ? [toRefusedUsageEvent({ value: sent[index] }, result.refusal)]
      : [],
  )
  await keepRefusedUsageEvents(db, { sender: encodeId('deployer', deployerId), now: now() }, refused)
  const stored = results.filter((result) => 'result' in result && result.result === 'stored').length
  return { stored, refused: refused.length }
}

/** By which the other side knows the subscription that an event is of; undefined where it names none. */
function subscriptionThere(fed: unknown): string | undefined {
  const { subject } = (fed ?? {}) as { readonly subject?: unknown }
  return typeof subject === 'string' && /^sub_[0-9a-z]{26}$/.test(subject) ? subject : undefined
}

/**
 * As it can be sent here, and sent again: named as the other side names it, within names of the deployer, for what another sender says
 * is another event. What names none of the deployer's subscriptions never counts for one that it names otherwise.
 */
function toOwn(deployerId: string, fed: unknown, subscriptionId: string | undefined): unknown {
  if (typeof fed !== 'object' || fed === null || Array.isArray(fed)) return fed
  const { source, subject, ...said } = fed as Record<string, unknown>
  return {
    ...said,
    source: typeof source === 'string' && source !== '' ? sourceOf(deployerId, source) : source,
    ...(subscriptionId === undefined
      ? { subjectthere: subject }
      : { subject: encodeId('subscription', subscriptionId) }),
  }
}

function sourceOf(deployerId: string, source: string): string {
  const prefix = `${encodeId('deployer', deployerId)}/`
  const isShort = prefix.length + source.length <= 200
  return prefix + (isShort ? source : createHash('sha256').update(source).digest('hex'))
}

/** The subscriptions were found by what was ordered there. */
const subjectsById: SubjectReader = {
  read: async (_db, texts) => new Map([...texts].map((text) => [text, decodeId('subscription', text)])),
  unknown: () => fieldError('/subject', 'subscription_unknown', 'There is no such subscription.'),
}
