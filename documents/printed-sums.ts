import type { Print } from './print.ts'
import type { PrintedTax, PrintedTotal } from './printed-invoice.ts'

export function printTotals({ facts, messages, amount }: Print): PrintedTotal[] {
  const used = [
    { label: messages.prepaidUsed, amountMinor: facts.prepaidUsedMinor },
    { label: messages.balanceUsed, amountMinor: facts.balanceUsedMinor },
  ].filter(({ amountMinor }) => amountMinor !== 0)
  const usedMinor = used.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  return [
    { label: messages.net, value: amount(facts.netMinor), isGrand: false },
    { label: messages.tax, value: amount(facts.taxMinor), isGrand: false },
    { label: messages.total, value: amount(facts.totalMinor), isGrand: true },
    ...used.map(({ label, amountMinor }) => ({ label, value: amount(-amountMinor), isGrand: false })),
    ...(used.length === 0
      ? []
      : [{ label: messages.amountDue, value: amount(facts.totalMinor - usedMinor), isGrand: true }]),
  ]
}

export function printTax({ facts, messages, formats }: Print): PrintedTax | null {
  if (facts.taxes.length === 0) return null
  return {
    title: messages.taxByRate,
    columns: [
      { title: messages.tax, isNumber: false },
      { title: messages.taxRate, isNumber: true },
      { title: messages.taxBase, isNumber: true },
      { title: messages.amount, isNumber: true },
    ],
    // Like lines, they have their sign already.
    rows: facts.taxes.map((tax) => [
      formats.isolate(tax.name),
      formats.percent(tax.percent),
      formats.amount(tax.baseMinor, facts.currency),
      formats.amount(tax.taxMinor, facts.currency),
    ]),
  }
}
