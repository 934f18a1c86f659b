import type { DocumentDraft, DocumentLineDraft, DocumentTaxTerms } from './document.ts'
import type { InvoiceLineExplanation } from './explanation.ts'
import type { BillableLine, BilledPart } from './lines.ts'

/**
 * Lines as they stand once a document is made: the next one is computed from them. Read from rows they are the same, but
 * for the ids of invoice lines; these begin with the given text.
 */
export function afterBilling(
  lines: readonly BillableLine[],
  draft: DocumentDraft,
  { decide }: DocumentTaxTerms,
  idPrefix: string,
): BillableLine[] {
  const made = draft.lines.map((line, index) => ({ ...line, id: `${idPrefix}/${index}` }))
  const byLine = Map.groupBy(made, ({ subscriptionLineId }) => subscriptionLineId)
  return lines.map((line) => {
    const own = byLine.get(line.id) ?? []
    if (own.length === 0) return line
    const before = line.billed.map((part) => creditBy(own, part))
    const added = own.map((charge): BilledPart => ({
      ...amountsOf(charge),
      id: charge.id,
      kind: charge.kind,
      servicePeriod: charge.servicePeriod,
      ...meteredOf(charge.explanation),
      creditedMinor: 0,
      creditedTaxMinor: 0,
      tax: decide(line.taxCategory, charge.servicePeriod?.start ?? line.startsOn),
    }))
    return { ...line, billed: [...before, ...added] }
  })
}

/** What was metered for it, as the window that it froze says. */
function meteredOf({
  usage,
  isEarly,
}: Pick<InvoiceLineExplanation, 'usage' | 'isEarly'>): Pick<BilledPart, 'meteredQuantity' | 'isEarly'> {
  return {
    ...(usage === undefined ? {} : { meteredQuantity: usage.quantity }),
    ...(isEarly ? { isEarly } : {}),
  }
}

function amountsOf({ ratedMinor, discountMinor, amountMinor, taxMinor }: DocumentLineDraft) {
  return { ratedMinor, discountMinor, amountMinor, taxMinor }
}

function creditBy(drafts: readonly DocumentLineDraft[], part: BilledPart): BilledPart {
  const credits = drafts.filter((draft) => draft.creditsLineId === part.id)
  if (credits.length === 0) return part
  return {
    ...part,
    creditedMinor: credits.reduce((sum, { amountMinor }) => sum - amountMinor, part.creditedMinor),
    creditedTaxMinor: credits.reduce((sum, { taxMinor }) => sum - taxMinor, part.creditedTaxMinor),
  }
}
