import type { DecidedChange } from '#domain/change.ts'
import type { SimulatedBill } from '#domain/invoice/simulation.ts'
import { readChange, type AskedChange } from './asked-plan.ts'
import type { Db } from './database.ts'
import { inVain } from './in-vain.ts'
import { noChanges, type LineRow } from './line-change.ts'
import { applyChange, describeChange } from './plan.ts'
import { expectBills, type ExpectedInvoices } from './read/expected-invoice.ts'
import { readStanding } from './read/standing.ts'
import { lockDocuments } from './subscription-documents.ts'
import { lockSubscription } from './subscription.ts'

/** What a change would mean, and the first invoices on which it shows. */
export interface PreviewedChange extends DecidedChange {
  readonly productCode: string
  /** What was and what is, in words: the quantity alone, where nothing else differs. */
  readonly from: string
  readonly to: string
  /** In force today. */
  readonly line: LineRow
  /** Net, in minor units: what is given back of the old terms, 0 or less, and what the new ones cost. */
  readonly creditMinor: number
  readonly chargeMinor: number
  readonly currency: string
  /** What becomes of the ceiling of an instance; null where nothing is held. */
  readonly limit: {
    readonly instanceId: string
    readonly code: string
    readonly from: string
    readonly to: string
  } | null
  /** Null when it shows on none. */
  readonly expected: ExpectedInvoices | null
}

/**
 * What a change would mean and cost: it is carried out, what it leaves is billed by the function that bills, and all of it
 * is rolled back. So the preview is what comes, but for what happens meanwhile.
 * @param asked.now the real time; a subscription on a test clock lives at the clock's
 * @throws what the change and its bill are refused with
 */
export async function previewPlanChange(
  db: Db,
  asked: { subscriptionId: string; change: AskedChange; now: string },
): Promise<PreviewedChange> {
  const { subscriptionId, change } = asked
  return await inVain(db, async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    await lockDocuments(tx, subscriptionId)
    const now = subscription.test_clock_now_at ?? asked.now
    const read = await readChange(tx, subscription, { ...change, now })
    const { line, wanted, decided, target } = read
    const [from, to] = describeChange(read, subscription.currency)
    const changes = noChanges(tx, subscription, 'preview')
    await applyChange(changes, { now, actor: 'preview' }, change)
    const opened = new Set(changes.opened.map(({ id }) => id))
    const standing = await readStanding(tx, { subscriptionId })
    const parts = partsOf(opened, new Set(changes.ended.map(({ id }) => id)))
    const expected = standing && expectBills(standing, (bill) => parts(bill).length > 0)
    const changed = (expected?.bills ?? []).flatMap(parts)
    return {
      ...decided,
      productCode: wanted.productCode,
      from,
      to,
      line,
      creditMinor: sum(changed.filter(({ kind }) => kind === 'credit')),
      chargeMinor: sum(changed.filter(({ kind }) => kind !== 'credit')),
      currency: subscription.currency,
      limit:
        line.instance_id === null || target.limitCode === null
          ? null
          : {
              instanceId: line.instance_id,
              code: target.limitCode,
              from: line.quantity,
              to: wanted.quantity,
            },
      expected,
    }
  })
}

/** The lines of a bill that a change makes what they are. */
function partsOf(opened: ReadonlySet<string>, ended: ReadonlySet<string>) {
  return ({ draft }: SimulatedBill) =>
    draft.lines.filter(
      ({ kind, subscriptionLineId: id }) =>
        id !== null && (opened.has(id) || (kind === 'credit' && ended.has(id))),
    )
}

function sum(lines: readonly { readonly amountMinor: number }[]): number {
  return lines.reduce((total, { amountMinor }) => total + amountMinor, 0)
}
