import { assert } from '#domain/assert.ts'
import { compareDates } from '#domain/calendar.ts'
import type { BillReason, DocumentInput } from '#domain/invoice/document.ts'
import { dueParts, isClosingUsage } from '#domain/invoice/due.ts'
import { earlyParts } from '#domain/invoice/early.ts'
import type { DuePart, OneOffPart } from '#domain/invoice/lines.ts'
import { readAppliedDiscounts } from './applied-discount.ts'
import { readUsage, type AskedPart } from './bill-usage.ts'
import { readBillableLines, type LineContext } from './billable-line.ts'
import { readBounds, type BoundsOf } from './bounds.ts'
import { readTogether, type Db } from './database.ts'
import { readNamedValues, type AskedValues, type NamedValues } from './instance-value.ts'
import type { LineSource } from './invoice-line.ts'
import { placeLateParts, readLateParts } from './late-usage.ts'
import { readWaitingCharges, type WaitingCharge } from './one-off-charge.ts'
import { readPrices, type RereadPrices } from './reread-price.ts'
import type { DocumentRow } from './subscription-documents.ts'
import { readTaxTerms, type TaxTermsOf } from './tax-terms.ts'

/** A bill that is asked for: of a document's period, or of a subscription's beginning or end. */
export interface BillToRead {
  readonly reason: BillReason
  /** Locked by the caller. Null for a subscription whose lines lie on no document, or on several. */
  readonly document: DocumentRow | null
  /** Null: every line of the document. */
  readonly subscriptionIds: readonly string[] | null
  readonly asOf: string
  /** Of an early bill: the lines whose usage it bills. */
  readonly earlyLineIds?: ReadonlySet<string>
  /** Where it is made before its period begins: the day up to which arrears are due. Left out: `asOf`. */
  readonly arrearsUntil?: string
  readonly now: string
}

/** What one bill is computed from, as it was read with its lines locked. */
export interface BillInput {
  readonly customerId: string
  readonly payerId: string
  readonly testClockId: string | null
  readonly purchaseOrderReference: string | null
  /** Every metric was read past the end of what is due, here or where it is deployed, or is not waited for any more. */
  readonly isReady: boolean
  readonly input: DocumentInput
  /** By subscription line, or one-off charge. */
  readonly sources: ReadonlyMap<string, LineSource>
  /** Any part of its lines as a bill would price it, also one that is not due yet. */
  readonly reprice: (part: DuePart) => DuePart
}

/**
 * Reads all that bills are computed from, in a constant number of queries however many bills and lines there are; preview
 * and bill read alike. A bill without lines gives null.
 * @param isPreview locks nothing, waits for nothing, and counts what a subscription's own last bill would hold
 * @returns in the order of the bills
 */
export async function readBillInputs(
  db: Db,
  bills: readonly BillToRead[],
  { isPreview = false }: { isPreview?: boolean } = {},
): Promise<(BillInput | null)[]> {
  const isLocked = !isPreview
  const foreseenOf = isPreview ? customersOf(bills) : null
  // A preview locks nothing and has several connections: what need not come one after the other is read side by side.
  const [contexts, foreseen] = await readTogether(
    db,
    async () => readBillableLines(db, bills, { isLocked }),
    async () => foreseenOf && readOfCustomers(db, foreseenOf, { isLocked }),
  )
  const all = contexts.flat()
  const customerIds = [...new Set(all.map(({ customer }) => customer.id))]
  const { charges, discounts, taxTermsOf } =
    foreseen ?? (await readOfCustomers(db, customerIds, { isLocked }))
  const reread = await readPrices(db, all)
  const boundsOf = await readBounds(db, bills, contexts)
  const due = bills.map((bill, index) => prepareBill(bill, contexts[index] ?? [], { reread, isPreview }))
  const values = await readNamedValues(
    db,
    all,
    due.flatMap((of) => askedValues(of, isPreview)),
  )
  const ready = due.map((of) => withValues(of, values))
  const [allLate, usage] = await readTogether(
    db,
    async () => readLateParts(db, all, { isLocked }),
    async () =>
      readUsage(
        db,
        ready.flatMap((of) => askedParts(of, isPreview)),
      ),
  )
  const late = placeLateParts(ready, allLate)
  const gathered = gatherCharges(bills, contexts, charges, { isPreview })
  const prepared = ready.map((of) => {
    const left = late.get(of) ?? []
    const parts = [...of.parts, ...left.map(({ part }) => part), ...(gathered.get(of.bill) ?? [])]
    return { ...of, parts, sources: sourcesOf([...of.own, ...left.map(({ context }) => context)], parts) }
  })
  return prepared.map((of): BillInput | null => {
    const [first] = of.own
    if (!first) return null
    const found = discounts.get(first.customer.id) ?? []
    const { currency } = first.subscription
    return {
      customerId: first.customer.id,
      payerId: first.customer.payerId,
      testClockId: first.subscription.testClockId,
      purchaseOrderReference: referenceOf(of.bill, of.own),
      isReady: !of.parts.some((part) => usage.unread.has(part) || values.isUnread(part)),
      sources: of.sources,
      reprice: of.reprice,
      input: toInput(of, {
        discounts: found.filter((discount) => discount.currency === null || discount.currency === currency),
        usageOf: (part) => usage.of(part),
        taxTermsOf,
        boundsOf,
      }),
    }
  })
}

/** Those of the documents; null where a bill has none, and its lines say whose it is. */
function customersOf(bills: readonly BillToRead[]): string[] | null {
  const ids = bills.map(({ document }) => document?.customer_id)
  return ids.every((id) => id !== undefined) ? [...new Set(ids)] : null
}

async function readOfCustomers(db: Db, customerIds: readonly string[], { isLocked }: { isLocked: boolean }) {
  const [charges, discounts, taxTermsOf] = await readTogether(
    db,
    async () => readWaitingCharges(db, customerIds, { isLocked }),
    async () => readAppliedDiscounts(db, customerIds),
    async () => readTaxTerms(db, customerIds),
  )
  return { charges, discounts, taxTermsOf }
}

interface PreparedBill {
  readonly bill: BillToRead
  readonly own: readonly LineContext[]
  readonly byLine: ReadonlyMap<string, LineContext>
  readonly parts: readonly DuePart[]
  readonly reprice: (part: DuePart) => DuePart
}

/** Its parts of lines that are due, but for what came late. */
function prepareBill(
  bill: BillToRead,
  own: readonly LineContext[],
  { reread, isPreview }: { reread: RereadPrices; isPreview: boolean },
): PreparedBill {
  const byLine = new Map(own.map((context) => [context.line.id, context]))
  const due = partsOf(bill, own)
  const isClosing = (part: DuePart) =>
    part.kind === 'usage' && isClosingUsage(part, contextOf(part, byLine).subscription.endsOn)
  const waiting = isWaiting(bill) && !isPreview ? due.filter((part) => !isClosing(part)) : due
  const reprice = (part: DuePart) => (part.kind === 'one_off' ? part : reread(part, contextOf(part, byLine)))
  return { bill, own, byLine, parts: waiting.map(reprice), reprice }
}

function partsOf(bill: BillToRead, own: readonly LineContext[]): DuePart[] {
  const lines = own.map(({ line }) => line)
  if (bill.reason !== 'early') return dueParts(lines, bill.arrearsUntil ?? bill.asOf)
  return earlyParts(
    lines.filter(({ id }) => bill.earlyLineIds?.has(id)),
    bill.asOf,
  )
}

/** The bill of a subscription's beginning or end takes what there is. */
function isWaiting({ reason }: BillToRead): boolean {
  return reason === 'period' || reason === 'early'
}

function contextOf(part: DuePart, byLine: ReadonlyMap<string, LineContext>): LineContext {
  const context = part.kind === 'one_off' ? undefined : byLine.get(part.line.id)
  assert(context, 'a part that is due belongs to a line of its bill')
  return context
}

function askedValues({ bill, byLine, parts }: PreparedBill, isPreview: boolean): AskedValues[] {
  const waitsAt = waitsUntil(bill, isPreview)
  return parts.flatMap((part) =>
    part.kind === 'one_off' ? [] : [{ part, context: contextOf(part, byLine), waitsAt }],
  )
}

function withValues(of: PreparedBill, values: NamedValues): PreparedBill {
  const add = (part: DuePart) =>
    part.kind === 'one_off' ? part : values.addTo(part, contextOf(part, of.byLine))
  return { ...of, parts: of.parts.map(add), reprice: (part) => add(of.reprice(part)) }
}

/** The subscription's own bill comes after its closing reading: what is missing then stays missing. A document waits. */
function waitsUntil(bill: BillToRead, isPreview: boolean): string | null {
  return isWaiting(bill) && !isPreview ? bill.now : null
}

function askedParts({ bill, byLine, parts }: PreparedBill, isPreview: boolean): AskedPart[] {
  const waitsAt = waitsUntil(bill, isPreview)
  return parts.flatMap((part) =>
    part.kind === 'usage' ? [{ part, context: contextOf(part, byLine), waitsAt }] : [],
  )
}

/**
 * Each waiting one-off goes on the first bill that it fits: of its subscription, or else of a period of its customer. A
 * preview holds those of days to come as well: whoever looks beyond a bill needs them.
 */
function gatherCharges(
  bills: readonly BillToRead[],
  contexts: readonly (readonly LineContext[])[],
  charges: readonly WaitingCharge[],
  { isPreview }: { isPreview: boolean },
): ReadonlyMap<BillToRead, OneOffPart[]> {
  const placed = charges.flatMap((waiting) => {
    const { chargedOn } = waiting.charge
    const bill = bills.find(
      (candidate, index) =>
        (isPreview || compareDates(chargedOn, candidate.arrearsUntil ?? candidate.asOf) <= 0) &&
        isPlaceFor(waiting, candidate, contexts[index] ?? []),
    )
    return bill === undefined ? [] : [{ bill, part: { kind: 'one_off', charge: waiting.charge } as const }]
  })
  const grouped = Map.groupBy(placed, ({ bill }) => bill)
  return new Map([...grouped].map(([bill, found]) => [bill, found.map(({ part }) => part)]))
}

function isPlaceFor(waiting: WaitingCharge, bill: BillToRead, own: readonly LineContext[]): boolean {
  const { subscriptionId } = waiting.charge
  if (bill.reason === 'early' || (subscriptionId === null && bill.reason !== 'period')) return false
  return own.some(
    ({ customer, subscription }) =>
      customer.id === waiting.customerId &&
      subscription.currency === waiting.currency &&
      subscription.testClockId === waiting.testClockId &&
      (subscriptionId === null || subscription.id === subscriptionId),
  )
}

function toInput(
  { bill, own, parts }: PreparedBill,
  read: Pick<DocumentInput, 'discounts' | 'usageOf'> & {
    readonly taxTermsOf: TaxTermsOf
    readonly boundsOf: BoundsOf
  },
): DocumentInput {
  const [first] = own
  assert(first, 'a bill has lines')
  const { document } = bill
  return {
    reason: bill.reason,
    currency: first.subscription.currency,
    asOf: bill.asOf,
    arrearsUntil: bill.arrearsUntil,
    cycles: document && {
      anchor: document.billing_cycle_anchor,
      interval: { count: document.interval_count, unit: document.interval_unit },
    },
    lines: own.map(({ line }) => line),
    parts,
    usageOf: read.usageOf,
    discounts: read.discounts,
    bounds: read.boundsOf(bill, own),
    tax: read.taxTermsOf(first.customer),
    language: first.customer.language,
  }
}

function referenceOf(bill: BillToRead, own: readonly LineContext[]): string | null {
  const references = new Set(own.map(({ subscription }) => subscription.purchaseOrderReference))
  const [only] = references
  return bill.document?.purchase_order_reference ?? (references.size === 1 ? (only ?? null) : null)
}

function sourcesOf(own: readonly LineContext[], parts: readonly DuePart[]): ReadonlyMap<string, LineSource> {
  const ofLines = own.map(({ line, instanceId, timeZone }): [string, LineSource] => [
    line.id,
    {
      subscriptionId: line.subscriptionId,
      productId: line.productId,
      instanceId,
      metric: line.metric,
      timeZone,
    },
  ])
  const ofCharges = parts.flatMap((part): [string, LineSource][] => {
    if (part.kind !== 'one_off') return []
    const { id, subscriptionId, productId } = part.charge
    return [[id, { subscriptionId, productId, instanceId: null, metric: null, timeZone: 'UTC' }]]
  })
  return new Map([...ofLines, ...ofCharges])
}
