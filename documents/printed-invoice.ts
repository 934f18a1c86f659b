import { formatsOf } from './formats.ts'
import type { BankAccount, InvoiceFacts, PartyFacts } from './invoice-facts.ts'
import { profileOf, type Language } from './language.ts'
import { given, type Print } from './print.ts'
import { printLines } from './printed-lines.ts'
import { printTax, printTotals } from './printed-sums.ts'

/**
 * A document as its reader sees it: every text in its language, every value written out, everything in its order. Page and
 * PDF print this one value, so that they cannot differ.
 */
export interface PrintedInvoice {
  readonly language: Language
  readonly direction: 'ltr' | 'rtl'
  readonly kind: string
  readonly number: string
  readonly issuedOn: string
  readonly warning: string | null
  readonly total: string
  readonly parties: readonly PrintedParty[]
  readonly facts: readonly PrintedFact[]
  readonly columns: readonly PrintedColumn[]
  readonly lines: readonly PrintedLine[]
  readonly totals: readonly PrintedTotal[]
  readonly tax: PrintedTax | null
  readonly notes: readonly string[]
  readonly payment: {
    readonly title: string
    readonly texts: readonly string[]
    readonly account: readonly PrintedFact[]
  }
  /** With `{page}` and `{pages}` where the numbers go. */
  readonly pageOfPages: string
}

export interface PrintedParty {
  readonly title: string
  readonly name: string
  readonly texts: readonly string[]
}

export interface PrintedFact {
  readonly label: string
  readonly value: string
}

export interface PrintedColumn {
  readonly title: string
  readonly isNumber: boolean
}

export interface PrintedLine {
  /** A heading above this line and those that follow it. */
  readonly section: string | null
  readonly description: string
  /** Smaller, below the description. */
  readonly details: readonly string[]
  /** One for each column after the first; none where the description stands alone, over all of them. */
  readonly cells: readonly string[]
}

export interface PrintedTotal extends PrintedFact {
  readonly isGrand: boolean
}

export interface PrintedTax {
  readonly title: string
  readonly columns: readonly PrintedColumn[]
  readonly rows: readonly (readonly string[])[]
}

export function toPrintedInvoice(facts: InvoiceFacts, language: Language): PrintedInvoice {
  const { direction, messages } = profileOf(language)
  const formats = formatsOf(language)
  const sign = facts.kind === 'credit_note' ? -1 : 1
  const print: Print = {
    facts,
    messages,
    formats,
    amount: (amountMinor) => formats.amount(amountMinor === 0 ? 0 : sign * amountMinor, facts.currency),
  }
  const number = facts.number ?? messages.draft
  return {
    language,
    direction,
    kind: facts.kind === 'credit_note' ? messages.creditNote : messages.invoice,
    number: formats.isolate(number),
    issuedOn: facts.issuedOn,
    warning: facts.testClock === null ? null : messages.testDocument(formats.isolate(facts.testClock)),
    total: print.amount(facts.totalMinor),
    parties: [printParty(print, messages.from, facts.seller), printParty(print, messages.to, facts.buyer)],
    facts: printFacts(print),
    ...printLines(print),
    totals: printTotals(print),
    tax: printTax(print),
    notes: printNotes(print),
    payment: {
      title: messages.payment,
      texts: printPayment(print),
      account: printAccount(print, facts.seller.bankAccount),
    },
    pageOfPages: messages.pageOfPages,
  }
}

function printParty({ messages, formats }: Print, title: string, party: PartyFacts): PrintedParty {
  const { isolate } = formats
  return {
    title,
    name: isolate(party.name),
    texts: [
      ...(party.address ?? '')
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map(isolate),
      ...given(party.country, formats.country),
      ...given(party.taxId, (id) => messages.taxId(isolate(id))),
      ...given(party.registration, (entry) => messages.registration(isolate(entry))),
      ...given(party.email, isolate),
    ],
  }
}

function printFacts({ facts, messages, formats }: Print): PrintedFact[] {
  const { isolate } = formats
  return [
    { label: messages.issued, value: formats.date(facts.issuedOn) },
    ...facts.dues.map(({ dueOn }) => ({ label: messages.due, value: formats.date(dueOn) })),
    { label: messages.currency, value: facts.currency },
    ...given(facts.correctedNumber, (number) => ({
      label: messages.correctedInvoice,
      value: isolate(number),
    })),
    ...given(facts.servedCustomer, (name) => ({ label: messages.servedCustomer, value: isolate(name) })),
    ...given(facts.purchaseOrder, (text) => ({ label: messages.purchaseOrder, value: isolate(text) })),
    ...given(facts.buyerReference, (text) => ({ label: messages.buyerReference, value: isolate(text) })),
  ]
}

/** What the law wants beside a rate that is not charged, then what the seller wrote. */
function printNotes({ facts, messages, formats }: Print): string[] {
  const legal = facts.taxes.flatMap(({ category, note }) => {
    // The notes of these two are the engine's own words, which a reader wants in his language.
    if (category === 'reverse_charge') return [messages.reverseCharge]
    if (category === 'out_of_scope') return given(note, () => messages.notTaxable)
    return category === 'exempt' && note === null ? [messages.exempt] : given(note, formats.isolate)
  })
  const converted = given(facts.taxInSellerCurrency, (tax) =>
    messages.taxInSellerCurrency({
      tax: formats.amount(tax.taxMinor, tax.currency),
      rate: formats.isolate(`1 ${tax.base} = ${formats.decimal(tax.rate)} ${tax.quote}`),
      source: formats.isolate(tax.source),
      date: formats.date(tax.date),
    }),
  )
  return [
    ...(facts.isTaxIncluded ? [messages.pricesIncludeTax] : []),
    ...new Set(legal),
    ...converted,
    ...facts.notes.map(formats.isolate),
  ]
}

/** What is asked for; nothing on a credit note, on what is paid already, and on a document of a test clock. */
function openDues({ kind, testClock, dues }: InvoiceFacts): InvoiceFacts['dues'] {
  return kind === 'credit_note' || testClock !== null ? [] : dues.filter(({ amountMinor }) => amountMinor > 0)
}

function printPayment({ facts, messages, formats }: Print): string[] {
  const plain = (amountMinor: number) => formats.amount(amountMinor, facts.currency)
  if (facts.kind === 'credit_note') return [messages.credited(plain(facts.totalMinor))]
  if (facts.testClock !== null) return [messages.payNothingForTest]
  const dues = openDues(facts)
  if (dues.length === 0) return [messages.nothingToPay]
  return dues.map(({ dueOn, amountMinor }) =>
    messages.pay({
      amount: plain(amountMinor),
      date: formats.date(dueOn),
      number: formats.isolate(facts.number ?? messages.draft),
    }),
  )
}

function printAccount({ facts, messages, formats }: Print, account: BankAccount | null): PrintedFact[] {
  if (account === null || openDues(facts).length === 0) return []
  return [
    ...given(account.name, (name) => ({ label: messages.accountHolder, value: formats.isolate(name) })),
    { label: messages.iban, value: formats.isolate(groupIban(account.iban)) },
    ...given(account.bic, (bic) => ({ label: messages.bic, value: formats.isolate(bic) })),
  ]
}

/** In groups of four, as it is printed on paper (ISO 13616). */
function groupIban(iban: string): string {
  return iban.replaceAll(/\s/g, '').replaceAll(/(.{4})(?=.)/g, '$1\u00a0')
}
