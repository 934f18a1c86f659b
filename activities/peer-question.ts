import { Context } from '@temporalio/activity'
import { z } from 'zod'
import { readPeerStanding } from '#db/peer.ts'
import { digestMonths, listKnownDocuments, type DateRange } from '#db/peer-proof.ts'
import { keepPeerAnswer, readPeerQuestion, refusePeerQuestion } from '#db/peer-question.ts'
import { usageRowsPerAnswer, type SuppliedEvent, type SuppliedReading } from '#domain/peer-question.ts'
import { compareDocuments, differingMonths, type KnownDocument } from '#domain/proof.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { createPeerCall } from './peer-call.ts'
import { createPeerRecall } from './peer-recall.ts'

/** More differences than a person reads; what is behind them shows once these are settled. */
const mostDifferences = 1_000

/** Has other installations asked what a person wants to know of them. What they say is laid in rows: no history holds it. */
export function createPeerQuestionActivities(deps: DatabaseDependencies) {
  const { db } = deps
  const ask = createPeerCall(deps)
  const recall = createPeerRecall(deps)
  return {
    /** Asks what the row says. Answered already, it does nothing. @throws what a peer refuses with */
    async askPeer({ questionId }: { questionId: string }): Promise<void> {
      const asked = await readPeerQuestion(db, questionId)
      if (asked.isFinished) return
      const { answer, evidence } =
        asked.kind === 'proof'
          ? await prove(asked.id, asked.peerId, rangeSchema.parse(asked.question))
          : await openUsage(asked.id, asked.peerId, usageSchema.parse(asked.question))
      await keepPeerAnswer(db, questionId, { answer, evidence, now: new Date().toISOString() })
    },

    /** What could not be asked says why, for who waits for it and who looks later. */
    async refusePeerQuestion(input: { questionId: string; code: string; detail: string }): Promise<void> {
      await refusePeerQuestion(db, input.questionId, { ...input, now: new Date().toISOString() })
    },
  }

  /** Equal, it took one question whatever there is; else the months that differ are listed, and no other. */
  async function prove(id: string, peerId: string, range: DateRange) {
    const known = await listKnownDocuments(db, peerId, range)
    const ours = digestMonths(known)
    const abortSignal = Context.current().cancellationSignal
    const question = { kind: 'digest', ...range, months: ours } as const
    const { value, exchange: evidence } = await ask({ peerId, key: id, question, abortSignal })
    const theirs = digestSchema.parse(value).months
    const months = differingMonths(ours, theirs)
    const there: KnownDocument[] = []
    for (const month of months) there.push(...(await listThere(id, peerId, within(range, month))))
    const here = known.filter(({ issuedOn }) => months.includes(issuedOn.slice(0, 7)))
    const differences = compareDocuments(here, there).slice(0, mostDifferences)
    const { role } = await readPeerStanding(db, peerId)
    // Of ours, nothing can be over there that is not here, but after a restore: nobody gives its number again.
    if (role === 'customer' && differences.some(({ difference }) => difference === 'missing_here'))
      await recall.noteLost(peerId)
    return { answer: { isEqual: months.length === 0, ours, theirs, differences }, evidence }
  }

  async function listThere(id: string, peerId: string, range: DateRange): Promise<KnownDocument[]> {
    const found: KnownDocument[] = []
    for (let after: string | null = null; ;) {
      const key = `${id}/${range.from}/${after ?? ''}`
      const { value } = await ask({ peerId, key, question: { kind: 'listing', ...range, after } })
      const { documents, next } = listingSchema.parse(value)
      found.push(
        ...documents.map(({ issued_on: issuedOn, is_waiting: isWaiting, ...told }) => ({
          ...told,
          issuedOn,
          isWaiting,
        })),
      )
      // What is listed goes on behind what was listed: an end that never comes is none.
      if (next === null || (after !== null && next <= after)) return found
      after = next
    }
  }

  /** The window behind a line; or, of one day, its rows, page by page. */
  async function openUsage(id: string, peerId: string, of: z.output<typeof usageSchema>) {
    const rows: { readings: SuppliedReading[]; events: SuppliedEvent[] } = { readings: [], events: [] }
    const { value, exchange: evidence } = await askForUsage(id, peerId, of, 0)
    if (of.on === null) return { answer: { window: windowSchema.parse(value), ...rows }, evidence }
    for (let page = dayPageSchema.parse(value); ;) {
      rows.readings.push(...page.readings)
      rows.events.push(...page.events)
      const known = rows.readings.length + rows.events.length
      if (page.next === null || page.next !== known) break
      page = dayPageSchema.parse((await askForUsage(id, peerId, of, page.next)).value)
    }
    return { answer: { window: null, ...rows }, evidence }
  }

  async function askForUsage(id: string, peerId: string, of: z.output<typeof usageSchema>, skip: number) {
    return await ask({ peerId, key: `${id}/${skip}`, question: { kind: 'usage', ...of, skip } })
  }
}

/** The part of a range that is in a month. */
function within({ from, to }: DateRange, month: string): DateRange {
  const first = Temporal.PlainDate.from(`${month}-01`)
  const next = first.add({ months: 1 }).toString()
  return { from: from > first.toString() ? from : first.toString(), to: to < next ? to : next }
}

const day = z.iso.date()
const rangeSchema = z.object({ from: day, to: day })
const usageSchema = z.object({ document: z.string(), line: z.number().int(), on: day.nullable() })
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const monthSchema = z.object({
  month: z.string().regex(/^\d{4}-\d{2}$/),
  documents: z.number().int().min(0),
  root: hash,
})
const digestSchema = z.object({ months: z.array(monthSchema).max(5_000) })
const listingSchema = z.object({
  documents: z.array(
    z.object({
      document: z.string().max(40),
      number: z.string().max(100),
      issued_on: day,
      sha256: hash,
      is_waiting: z.boolean(),
    }),
  ),
  next: z.string().max(40).nullable(),
})
const text = z.string().max(300)
const instant = z.string().max(40)
const decimal = z.string().regex(/^-?\d{1,40}(\.\d{1,40})?$/)
const count = z.number().int().min(0)
const windowSchema = z.object({
  id: text,
  subscription: text,
  subscription_line: text,
  instance: text.nullable(),
  invoice: text,
  metric: text,
  quantity: decimal,
  unit: text,
  start: instant,
  end: instant,
  late: z.boolean(),
  pending: z.boolean(),
  first_read_at: instant.nullable(),
  last_read_at: instant.nullable(),
  readings: count,
  events: count,
  days: z
    .array(z.object({ on: day, readings: count, events: count, counted: decimal.nullable() }))
    .max(5_000),
})
const readingSchema = z.object({
  series: text,
  value: decimal,
  unit: text,
  read_at: instant,
  opening: z.boolean(),
  counted: decimal.nullable(),
})
const eventSchema = z.object({
  source: text,
  id: text,
  quantity: decimal,
  unit: text,
  time: instant,
  received_at: instant,
})
const dayPageSchema = z.object({
  readings: z.array(readingSchema).max(usageRowsPerAnswer),
  events: z.array(eventSchema).max(usageRowsPerAnswer),
  next: z.number().int().nullable(),
})
