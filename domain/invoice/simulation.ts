import { assert } from '../assert.ts'
import { issueDay } from '../billing-cycle.ts'
import { compareDates, cycleBoundary, type BillingInterval } from '../calendar.ts'
import { assumeUsage, type AssumedUsage } from './assumed-usage.ts'
import { afterBilling } from './billed.ts'
import {
  computeDocument,
  isOfNothing,
  type DocumentDraft,
  type DocumentInput,
  type SubscriptionBounds,
} from './document.ts'
import { dueParts, isClosingUsage } from './due.ts'
import type { BillableLine, DuePart, LateUsagePart, MeasuredUsage, OneOffPart, UsagePart } from './lines.ts'

/** A document that bills, as its rows stand. */
export interface StandingDocument {
  readonly id: string
  readonly cycles: { readonly anchor: string; readonly interval: BillingInterval }
  readonly nextPeriodIndex: number
  /** Null once it is closed: only the last bills of its subscriptions are to come. */
  readonly nextInvoiceOn: string | null
  /** Days before its periods that its invoices are made. */
  readonly advanceDays: number
  /** As a bill of it would be computed on the first boundary that is still to come. */
  readonly input: DocumentInput
}

export interface StandingSubscription {
  readonly id: string
  /** The first day that is not served any more; null while it goes on. */
  readonly endsOn: string | null
  /** It has its last bill already. */
  readonly isOver: boolean
  /** Of all documents on which its lines lie, closed ones too. */
  readonly documentIds: readonly string[]
}

/** What a customer's documents of one currency are billed from, as far as one may change what another bills. */
export interface Standing {
  readonly documents: readonly StandingDocument[]
  readonly subscriptions: readonly StandingSubscription[]
  /** Invoices of nothing are not made. */
  readonly skipsZeroInvoices?: boolean
  /** A part at the price that the lists have on its first day, where its line is priced anew at each period. */
  readonly reprice: (part: DuePart) => DuePart
}

/** A document that is to come. */
export interface SimulatedBill {
  /** The day on which it is made. */
  readonly on: string
  readonly reason: 'period' | 'final'
  /** Null for the last bill of a subscription whose lines lie on several documents. */
  readonly documentId: string | null
  /** Set for the last bill of a subscription. */
  readonly subscriptionId: string | null
  readonly draft: DocumentDraft
}

/** What came of the bills so far. Nothing else changes it. */
interface Course {
  readonly standing: Standing
  readonly assumed: AssumedUsage
  readonly lines: Map<string, readonly BillableLine[]>
  readonly documents: Map<string, DocumentState>
  readonly endedSubscriptions: Set<string>
  readonly measured: ReadonlyMap<string, MeasuredUsage>
  /** One-off charges and late usage that no bill took yet. */
  waiting: readonly (OneOffPart | LateUsagePart)[]
}

interface DocumentState {
  readonly index: number
  /** The days of its bills in the course; none while its rows say its last one. */
  readonly billedOn: readonly string[]
  /** The first day of its next period; null when it is closed. */
  readonly on: string | null
}

type Turn =
  | { readonly on: string; readonly document: StandingDocument }
  | { readonly on: string; readonly subscription: StandingSubscription }

/**
 * The bills that a clock would bring if it moved on to a day, that day included, and nothing else happened: period by
 * period, and at the end of each subscription its last one, each computed by `computeDocument` from what the ones before it
 * left. Nothing is touched: no clock, no row, no number.
 * @throws what `computeDocument` refuses, for the first document that it refuses
 */
export function simulateDocuments(standing: Standing, assumed: AssumedUsage, until: string): SimulatedBill[] {
  return [...billsToCome(standing, assumed, until)]
}

/** The same, one by one: who wants to know the next one need not wait for the others. */
export function* billsToCome(
  standing: Standing,
  assumed: AssumedUsage,
  until: string,
): Generator<SimulatedBill, void> {
  const course = startCourse(standing, assumed)
  for (let turn = nextTurn(course, until); turn !== undefined; turn = nextTurn(course, until)) {
    const made =
      'document' in turn ? billPeriod(course, turn.document, turn.on) : billFinal(course, turn.subscription)
    if (made === null || !isSent(standing, made.draft)) continue
    yield made
  }
}

function startCourse(standing: Standing, assumed: AssumedUsage): Course {
  const parts = standing.documents.flatMap(({ input }) => input.parts.map((part) => ({ part, input })))
  const waiting = parts.flatMap(({ part }) =>
    part.kind === 'one_off' || part.kind === 'late_usage' ? [part] : [],
  )
  const measured = parts.flatMap(({ part, input }) =>
    part.kind === 'usage' ? [[usageKey(part), input.usageOf(part)] as const] : [],
  )
  return {
    standing,
    assumed,
    lines: new Map(standing.documents.map(({ id, input }) => [id, input.lines])),
    documents: new Map(
      standing.documents.map(({ id, nextPeriodIndex, nextInvoiceOn }) => [
        id,
        { index: nextPeriodIndex, on: nextInvoiceOn, billedOn: [] },
      ]),
    ),
    endedSubscriptions: new Set(standing.subscriptions.flatMap(({ id, isOver }) => (isOver ? [id] : []))),
    measured: new Map(measured),
    waiting,
  }
}

/** What is of nothing is not made, or not sent; it settles nothing. */
function isSent({ skipsZeroInvoices }: Standing, draft: DocumentDraft | null): draft is DocumentDraft {
  return draft !== null && !(skipsZeroInvoices === true && isOfNothing(draft))
}

/** Of one day, periods come before the ends of subscriptions: what ends bills its periods first. */
function nextTurn(course: Course, until: string): Turn | undefined {
  const periods = course.standing.documents.flatMap((document): Turn[] => {
    const { index, on } = stateOf(course, document.id)
    if (on === null) return []
    const { advanceDays } = document
    return [{ on: issueDay({ nextPeriodIndex: index, nextInvoiceOn: on, advanceDays }), document }]
  })
  const ends = course.standing.subscriptions.flatMap((subscription): Turn[] => {
    const { id, endsOn } = subscription
    return endsOn === null || course.endedSubscriptions.has(id) ? [] : [{ on: endsOn, subscription }]
  })
  const turns = [...periods, ...ends].filter((turn) => compareDates(turn.on, until) <= 0)
  return turns.toSorted((first, second) => compareDates(first.on, second.on))[0]
}

function billPeriod(course: Course, document: StandingDocument, on: string): SimulatedBill | null {
  const lines = course.lines.get(document.id) ?? []
  const due = dueParts(lines, on).filter((part) => !isClosing(course, part))
  const waiting = takeWaiting(course, { lines, on, isFinal: false })
  const { on: boundary, index, billedOn } = stateOf(course, document.id)
  const asOf = boundary ?? on
  const draft = compute(course, document, {
    reason: 'period',
    asOf,
    arrearsUntil: on,
    lines,
    parts: [...due, ...waiting],
    bounds: boundsOf(course, document, asOf),
  })
  const { anchor, interval } = document.cycles
  const next = isGoingOn(course, document.id, on) ? cycleBoundary(anchor, interval, index + 1) : null
  course.documents.set(document.id, {
    index: index + 1,
    on: next,
    billedOn: isSent(course.standing, draft) ? [...billedOn, on] : billedOn,
  })
  return draft && { on, reason: 'period', documentId: document.id, subscriptionId: null, draft }
}

function stateOf({ documents }: Course, documentId: string): DocumentState {
  const state = documents.get(documentId)
  assert(state, 'a course begins with the state of every document')
  return state
}

/**
 * What earlier bills of the course settled is settled. A bill of the same day is none of them: the period that ends on
 * 15 April with the service is left by the document's bill of that day to the last bill of the subscription.
 */
function boundsOf(course: Course, document: StandingDocument, asOf: string): SubscriptionBounds[] {
  const settledUntil = stateOf(course, document.id)
    .billedOn.filter((day) => compareDates(day, asOf) < 0)
    .at(-1)
  return document.input.bounds.map((bounds) =>
    bounds.held === undefined || settledUntil === undefined
      ? bounds
      : { ...bounds, held: { ...bounds.held, settledUntil } },
  )
}

function isClosing({ standing }: Course, part: DuePart): boolean {
  if (part.kind !== 'usage') return false
  const { subscriptionId } = part.line
  const subscription = standing.subscriptions.find(({ id }) => id === subscriptionId)
  return isClosingUsage(part, subscription?.endsOn ?? null)
}

/**
 * Of all lines of a subscription, on whichever documents they lie, up to the last day of any of them: service may end
 * later than what is billed.
 */
function billFinal(course: Course, { id, endsOn, documentIds }: StandingSubscription): SimulatedBill | null {
  course.endedSubscriptions.add(id)
  const documents = course.standing.documents.filter((document) => documentIds.includes(document.id))
  const lines = documents
    .flatMap((document) => course.lines.get(document.id) ?? [])
    .filter((line) => line.subscriptionId === id)
  const asOf = lines
    .flatMap((line) => line.endsOn ?? [])
    .toSorted(compareDates)
    .at(-1)
  const [document] = documents
  if (document === undefined || endsOn === null || asOf === undefined) return null
  const single = documentIds.length === 1 ? document : null
  const parts = [...dueParts(lines, asOf), ...takeWaiting(course, { lines, on: asOf, isFinal: true })]
  const bounds = documents
    .flatMap((of) => boundsOf(course, of, asOf))
    .filter((bound) => bound.subscriptionId === id)
  const own = { reason: 'final', asOf, lines, parts, bounds, cycles: single?.cycles ?? null } as const
  const draft = compute(course, document, own)
  for (const of of documents) {
    if (!isGoingOn(course, of.id, asOf)) course.documents.set(of.id, { ...stateOf(course, of.id), on: null })
  }
  return draft && { on: endsOn, reason: 'final', documentId: single?.id ?? null, subscriptionId: id, draft }
}

type Bill = Pick<DocumentInput, 'reason' | 'asOf' | 'lines' | 'parts'> & Partial<DocumentInput>

function compute(course: Course, { id, input }: StandingDocument, bill: Bill): DocumentDraft | null {
  const draft = computeDocument({
    ...input,
    ...bill,
    parts: bill.parts.map((part) => course.standing.reprice(part)),
    usageOf: (part) => assumeUsage(part, course.assumed, course.measured.get(usageKey(part))),
  })
  // What is not made or not sent takes no texts.
  if (!isSent(course.standing, draft)) course.waiting = [...course.waiting, ...bill.parts.filter(isText)]
  if (draft === null) return null
  const made = `${id}/${bill.asOf}/${bill.reason}`
  for (const [documentId, lines] of course.lines) {
    course.lines.set(documentId, afterBilling(lines, draft, input.tax, made))
  }
  return draft
}

function isText(part: DuePart): part is OneOffPart {
  return part.kind === 'one_off' && part.charge.isText === true
}

/** One-off charges and late usage go on the first bill that they fit. */
function takeWaiting(
  course: Course,
  bill: { lines: readonly BillableLine[]; on: string; isFinal: boolean },
): (OneOffPart | LateUsagePart)[] {
  const lineIds = new Set(bill.lines.map((line) => line.id))
  const subscriptionIds = new Set(bill.lines.map((line) => line.subscriptionId))
  const isTaken = (part: OneOffPart | LateUsagePart) => {
    if (part.kind === 'late_usage') {
      const { id, subscriptionId } = part.line
      return lineIds.has(id) || (subscriptionIds.has(subscriptionId) && !isToBeBilled(course, id))
    }
    const { subscriptionId, chargedOn } = part.charge
    if (compareDates(chargedOn, bill.on) > 0) return false
    return subscriptionId === null ? !bill.isFinal : subscriptionIds.has(subscriptionId)
  }
  const taken = course.waiting.filter(isTaken)
  course.waiting = course.waiting.filter((part) => !isTaken(part))
  return taken
}

/** The document of the line has a bill to come. */
function isToBeBilled(course: Course, lineId: string): boolean {
  return [...course.lines].some(
    ([documentId, own]) => stateOf(course, documentId).on !== null && own.some(({ id }) => id === lineId),
  )
}

/** A document goes on while a line that recurs does, of a subscription that does. */
function isGoingOn(course: Course, documentId: string, on: string): boolean {
  return (course.lines.get(documentId) ?? []).some(
    ({ interval, endsOn, subscriptionId }) =>
      interval !== null &&
      !course.endedSubscriptions.has(subscriptionId) &&
      (endsOn === null || compareDates(endsOn, on) > 0),
  )
}

function usageKey({ line, servicePeriod }: UsagePart): string {
  return `${line.id}/${servicePeriod.start}`
}
