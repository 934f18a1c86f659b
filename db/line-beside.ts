import { addDays, compareDates, laterDate } from '#domain/calendar.ts'
import type { CatalogProduct } from '#domain/order.ts'
import { dropLine, endLine, listLinesAfter, moveLine, type LineChanges, type LineRow } from './line-change.ts'

type MainLine = Pick<LineRow, 'first_line_id'>

export interface EndBeside {
  /** The first day that is not served. */
  readonly endsOn: string
  readonly today: string
}

/** Ends what is sold beside a line with it: its options and add-ons, and theirs. */
export async function endBeside(changes: LineChanges, main: MainLine, end: EndBeside): Promise<void> {
  for (const line of await listBeside(changes, main, end)) await endWithMain(changes, line, end)
}

/** Nothing is sold beside a line before it begins: what was never billed begins so many days later, too. */
export async function delayBeside(
  changes: LineChanges,
  main: LineRow,
  delay: { startsOn: string; days: number },
): Promise<void> {
  for (const line of await listBeside(changes, main, { endsOn: main.starts_on })) {
    if (line.billed_until !== null || compareDates(line.starts_on, delay.startsOn) >= 0) continue
    const endsOn = line.ends_on === null ? null : addDays(line.ends_on, delay.days)
    await moveLine(changes, line, { startsOn: addDays(line.starts_on, delay.days), endsOn })
    await delayBeside(changes, line, delay)
  }
}

/** Ends the add-ons of a line that are not sold beside what it becomes. */
export async function endMisfits(
  changes: LineChanges,
  { main, target }: { main: MainLine; target: Pick<CatalogProduct, 'id' | 'variantOf'> },
  end: EndBeside,
): Promise<void> {
  const beside = await listBeside(changes, main, end)
  if (beside.length === 0) return
  const sold = await changes.tx
    .selectFrom('add_ons')
    .selectAll()
    .where(
      'product_id',
      'in',
      beside.map((line) => line.product_id),
    )
    .execute()
  const fits = (row: { main_product_id: string }) =>
    row.main_product_id === target.id || row.main_product_id === target.variantOf
  for (const line of beside) {
    const rows = sold.filter((row) => row.product_id === line.product_id)
    if (rows.length > 0 && !rows.some(fits)) await endWithMain(changes, line, end)
  }
}

async function listBeside(
  changes: LineChanges,
  main: MainLine,
  { endsOn }: Pick<EndBeside, 'endsOn'>,
): Promise<LineRow[]> {
  const lines = await listLinesAfter(changes.tx, changes.subscription.id, endsOn)
  return lines.filter((line) => line.main_line_id === main.first_line_id)
}

/** What was paid for days after that is credited by the next invoice; what is metered ends today at the earliest. */
async function endWithMain(changes: LineChanges, line: LineRow, end: EndBeside): Promise<void> {
  const endsOn = line.billing_type === 'usage' ? laterDate(end.endsOn, end.today) : end.endsOn
  if (compareDates(line.starts_on, endsOn) >= 0) await dropLine(changes, line)
  else if (line.ends_on === null || compareDates(line.ends_on, endsOn) > 0)
    await endLine(changes, line, endsOn)
  await endBeside(changes, line, end)
}
