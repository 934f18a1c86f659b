import { findByName, partInMonth, type NamedLine, type SuppliedLine } from './supplied-line.ts'

export interface ExpenseMapping extends NamedLine {
  readonly supplierId: string
  readonly categoryId: string
}

export interface Expense {
  /** Null for what nobody has said what it is for. */
  readonly categoryId: string | null
  readonly currency: string
  readonly amountMinor: number
  /** Lines of suppliers that are in it. */
  readonly lines: number
}

/**
 * What a month cost, by category and currency: the net of lines for its days. Lines that are mapped to nothing stand apart, in full:
 * together the expenses are all that suppliers billed for the month.
 */
export function computeExpenses(
  lines: readonly (SuppliedLine & { readonly supplierId: string; readonly currency: string })[],
  mappings: readonly ExpenseMapping[],
  month: string,
): Expense[] {
  const ofSupplier = Map.groupBy(mappings, ({ supplierId }) => supplierId)
  const counted = lines.map((line) => ({
    currency: line.currency,
    categoryId: findByName(ofSupplier.get(line.supplierId) ?? [], line)?.categoryId ?? null,
    amountMinor: partInMonth(line, month),
  }))
  const groups = Map.groupBy(counted, ({ categoryId, currency }) => `${categoryId ?? ''} ${currency}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const amountMinor = group.reduce((sum, one) => sum + one.amountMinor, 0)
    return [{ categoryId: first.categoryId, currency: first.currency, amountMinor, lines: group.length }]
  })
}
