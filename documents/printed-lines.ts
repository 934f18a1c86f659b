import type { LineFacts } from './invoice-facts.ts'
import type { Print } from './print.ts'
import type { PrintedColumn, PrintedInvoice } from './printed-invoice.ts'

export function printLines(print: Print): Pick<PrintedInvoice, 'columns' | 'lines'> {
  const { facts, messages, formats } = print
  const columns = lineColumns(print)
  return {
    columns: [
      { title: messages.description, isNumber: false },
      ...columns.map(({ title, isNumber }) => ({ title, isNumber })),
    ],
    lines: facts.lines.map((line, index) => ({
      section: printSection(print, line, facts.lines[index - 1]),
      description: formats.isolate(line.description),
      details: printDetails(print, line),
      cells: line.isText ? [] : columns.map(({ cell }) => cell(line)),
    })),
  }
}

/** Said where it begins. */
function printSection(
  { messages, formats }: Print,
  line: LineFacts,
  before: LineFacts | undefined,
): string | null {
  if (line.section === undefined || line.section === before?.section) return null
  if (line.section === null) return messages.otherLines
  const section = formats.isolate(line.section)
  return line.isSectionOfPurchaseOrder ? `${messages.purchaseOrder} ${section}` : section
}

interface LineColumn extends PrintedColumn {
  readonly cell: (line: LineFacts) => string
}

/** Columns that would be empty on every line are left out. */
function lineColumns({ facts, messages, formats }: Print): LineColumn[] {
  const { currency, lines } = facts
  const amount = (amountMinor: number) => formats.amount(amountMinor, currency)
  const isShown = {
    discount: lines.some((line) => line.discountMinor !== 0),
    tax: lines.some((line) => line.taxPercent !== null),
  }
  return [
    {
      title: messages.servicePeriod,
      isNumber: false,
      cell: ({ servicePeriod: period }) =>
        period === null ? messages.once : formats.period(period.start, period.end),
    },
    { title: messages.quantity, isNumber: true, cell: (line) => formats.quantity(line.quantity) },
    { title: messages.unit, isNumber: false, cell: (line) => formats.unit(line.unit) },
    {
      title: messages.unitPrice,
      isNumber: true,
      cell: (line) => (line.unitPrice === null ? '' : formats.unitPrice(line.unitPrice, currency)),
    },
    ...(isShown.discount
      ? [
          {
            title: messages.discount,
            isNumber: true,
            cell: (line: LineFacts) => (line.discountMinor === 0 ? '' : amount(-line.discountMinor)),
          },
        ]
      : []),
    ...(isShown.tax
      ? [
          {
            title: messages.taxRate,
            isNumber: true,
            cell: (line: LineFacts) => (line.taxPercent === null ? '' : formats.percent(line.taxPercent)),
          },
        ]
      : []),
    { title: messages.amount, isNumber: true, cell: (line) => amount(line.amountMinor) },
  ]
}

function printDetails({ facts, messages, formats }: Print, line: LineFacts): string[] {
  const parts = line.parts.map(
    ({ quantity, unitPrice }) =>
      `${formats.quantity(quantity)} × ${formats.unitPrice(unitPrice, facts.currency)}`,
  )
  return [
    ...(parts.length === 0 ? [] : [formats.isolate(parts.join(' + '))]),
    ...(line.isCredit ? [messages.credit] : []),
    ...(line.isLate ? [messages.late] : []),
    ...(line.isPending ? [messages.pending] : []),
    ...(line.notBilledQuantity === undefined
      ? []
      : [messages.notBilled(`${formats.quantity(line.notBilledQuantity)} ${formats.unit(line.unit)}`)]),
    ...line.context.map(formats.isolate),
  ]
}
