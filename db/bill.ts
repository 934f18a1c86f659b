import { assert } from '#domain/assert.ts'
import { startOfDay, type Period } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import { dueParts, rateParts, type DuePart, type InvoiceLineDraft } from '#domain/invoice/lines.ts'
import type { UsageQuantity } from '#domain/usage.ts'
import { lockLines, type LineContext, type BilledOf } from './billable-line.ts'
import type { DocumentRow } from './subscription-documents.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { insertInvoice, type InvoiceDraft, type InvoiceLineRow } from './invoice.ts'
import { measureUsage, isMeteredUntil } from './usage.ts'

/** A metric of the document was not read past the period's end yet, and its grace is not over. */
export class DocumentNotReady extends Error {
  readonly documentId: string

  constructor(documentId: string) {
    super(`document ${encodeId('document', documentId)} waits for readings past the end of its period`)
    this.name = 'DocumentNotReady'
    this.documentId = documentId
  }
}

/** How long a document waits for missing readings; what comes later is billed as late. */
const graceMs = 6 * 3_600_000

export interface Bill {
  readonly billingKey: string
  readonly of: BilledOf
  readonly document: DocumentRow | null
  readonly subscriptionId: string | null
  readonly asOf: string
  readonly now: string
}

/** Rates what is due and writes one finalized document; undefined parts make none. Gives its id, or null. */
export async function billLines(tx: Tx, bill: Bill): Promise<string | null> {
  const existing = await tx
    .selectFrom('invoices')
    .select('id')
    .where('billing_key', '=', bill.billingKey)
    .executeTakeFirst()
  if (existing) return existing.id
  const contexts = await lockLines(tx, bill.of)
  const byLine = new Map(contexts.map((context) => [context.line.id, context]))
  const due = dueParts(
    contexts.map((context) => context.line),
    bill.asOf,
  )
  const parts = bill.subscriptionId === null ? due.filter((part) => !isClosingUsage(part)) : due
  if (parts.length === 0) return null
  const windows = await measureParts(tx, parts, byLine, bill)
  const first = contexts[0]
  assert(first, 'due parts belong to lines')
  const drafts = rateParts(parts, first.currency, (part) => {
    const usage = windows.get(part)
    assert(usage, 'every usage part was measured')
    return usage
  })
  return await writeInvoice(tx, bill, first, drafts, byLine)
}

async function writeInvoice(
  tx: Tx,
  bill: Bill,
  first: LineContext,
  drafts: readonly InvoiceLineDraft[],
  byLine: ReadonlyMap<string, LineContext>,
): Promise<string> {
  const draft: InvoiceDraft = {
    billingKey: bill.billingKey,
    customerId: first.customerId,
    documentId: bill.document?.id ?? null,
    subscriptionId: bill.subscriptionId,
    testClockId: first.testClockId,
    currency: first.currency,
    now: bill.now,
    lines: drafts.map((line): InvoiceLineRow => {
      const context = byLine.get(line.subscriptionLineId)
      assert(context, 'an invoice line belongs to a subscription line')
      return {
        draft: line,
        subscriptionId: context.subscriptionId,
        productId: context.productId,
        instanceId: context.instanceId,
        metric: context.metric,
        timeZone: context.timeZone,
      }
    }),
  }
  const invoice = await insertInvoice(tx, draft)
  for (const subscriptionId of new Set(draft.lines.map((line) => line.subscriptionId))) {
    await insertEvent(tx, {
      kind: 'invoice.finalized',
      customerId: first.customerId,
      subscriptionId,
      invoiceId: invoice.id,
      businessAt: bill.now,
      data: {
        number: invoice.number,
        kind: invoice.kind,
        total_minor: invoice.totalMinor,
        currency: first.currency,
      },
    })
  }
  return invoice.id
}

/** Measures every usage part; the window of a line's last part reaches to its closing reading. */
async function measureParts(
  tx: Tx,
  parts: readonly DuePart[],
  byLine: ReadonlyMap<string, LineContext>,
  bill: Bill,
): Promise<Map<DuePart, UsageQuantity>> {
  const measured = new Map<DuePart, UsageQuantity>()
  for (const part of parts) {
    if (part.kind !== 'usage') continue
    const context = byLine.get(part.line.id)
    assert(context?.metric, 'a usage line names its metric')
    const window = instantWindow(part.servicePeriod, context.timeZone)
    const isLast = part.line.endsOn === part.servicePeriod.end
    // The subscription's own bill comes after its closing reading: what is missing then stays missing. A document waits.
    const isClosed = bill.subscriptionId !== null
    const isOverdue = Date.parse(bill.now) > Date.parse(window.end) + graceMs
    if (!isClosed && !isOverdue && !(await isMeteredUntil(tx, context, window.end))) {
      throw new DocumentNotReady(context.documentId ?? part.line.id)
    }
    measured.set(
      part,
      await measureUsage(tx, { ...context, metric: context.metric, unit: part.line.unit, window, isLast }),
    )
  }
  return measured
}

/** Usage up to a line's end: its own subscription bills it, after the closing reading. A document's bill may come before. */
function isClosingUsage(part: DuePart): boolean {
  return part.kind === 'usage' && part.line.endsOn === part.servicePeriod.end
}

function instantWindow(period: Period, timeZone: string): { start: string; end: string } {
  return { start: startOfDay(timeZone, period.start), end: startOfDay(timeZone, period.end) }
}
