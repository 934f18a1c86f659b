import type { Db } from '#db/database.ts'
import { presentCostOf, readDaysOfUsage, type PresentCost } from '#db/present-usage.ts'
import { expectInvoices, subscriptionOf } from '#db/read/expected-invoice.ts'
import { readStanding, type ReadDocument, type ReadStanding } from '#db/read/standing.ts'
import { noteTaxQuestion } from '#db/tax-answer.ts'
import { BusinessError } from '#domain/errors.ts'
import type { DocumentLineDraft } from '#domain/invoice/document.ts'

/** What of the next invoices is this subscription's; the reason, where none can be computed. */
type ExpectedContent =
  | { readonly on: string; readonly lines: readonly DocumentLineDraft[]; readonly totalMinor: number }
  | { readonly refusal: string }

/**
 * What is billed next, and what is used in the periods that run, day by day: one look at what bills are computed from. Of what
 * cannot be computed at the moment, the reason.
 */
export async function readBillsContent(db: Db, subscriptionId: string, now: string) {
  const nothing = { present: null, days: new Map<never, never>() }
  try {
    const standing = await readStanding(db, { subscriptionId })
    const usage = await readUsageContent(db, { subscriptionId, bills: standing?.documents ?? [], now })
    const expected = standing && (await readExpected(db, subscriptionId, standing))
    return { expected, ...usage }
  } catch (error) {
    const { message: refusal } = await explain(db, error)
    return { expected: { refusal }, ...nothing }
  }
}

/** The same without the days, where the standing may have been read: that of one subscription is that of all of its customer. */
export async function readBillsSummary(
  db: Db,
  read: () => Promise<ReadStanding | null>,
  of: { subscriptionId: string; now: string },
): Promise<{ expected: ExpectedContent | null; present: PresentCost | null }> {
  try {
    const standing = await read()
    if (standing === null) return { expected: null, present: null }
    const expected = await readExpected(db, of.subscriptionId, standing)
    return { expected, present: await presentCostOf(db, standing.documents, of) }
  } catch (error) {
    const { message: refusal } = await explain(db, error)
    return { expected: { refusal }, present: null }
  }
}

async function readUsageContent(
  db: Db,
  { bills, ...of }: { subscriptionId: string; bills: readonly ReadDocument[]; now: string },
) {
  try {
    const present = await presentCostOf(db, bills, of)
    const days = await readDaysOfUsage(db, of.subscriptionId, { lines: present.lines, now: of.now })
    return { present, days }
  } catch (error) {
    await explain(db, error)
    return { present: null, days: new Map<never, never>() }
  }
}

async function readExpected(
  db: Db,
  subscriptionId: string,
  standing: ReadStanding,
): Promise<ExpectedContent | null> {
  try {
    const expected = expectInvoices(standing, { subscriptionId })
    if (expected === null) return null
    const lines = expected.bills
      .flatMap(({ draft }) => draft.lines)
      .filter((line) => subscriptionOf(line, expected.standing) === subscriptionId)
    const totalMinor = lines.reduce((sum, { amountMinor, taxMinor }) => sum + amountMinor + taxMinor, 0)
    return { on: expected.on, lines, totalMinor }
  } catch (error) {
    const { message: refusal } = await explain(db, error)
    return { refusal }
  }
}

/** A refusal is shown; anything else is a fault. */
async function explain(db: Db, error: unknown): Promise<BusinessError> {
  await noteTaxQuestion(db, error)
  if (error instanceof BusinessError) return error
  throw error
}
