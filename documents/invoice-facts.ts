/** A finalized document as its rows say it: what is printed of it, before language and format. */
export interface InvoiceFacts {
  readonly kind: 'invoice' | 'credit_note'
  /** Null while it is a draft. */
  readonly number: string | null
  readonly testClock: string | null
  readonly currency: string
  readonly issuedOn: string
  readonly seller: PartyFacts & { readonly bankAccount: BankAccount | null }
  readonly buyer: PartyFacts
  /** For whom the buyer pays. */
  readonly servedCustomer: string | null
  readonly purchaseOrder: string | null
  readonly buyerReference: string | null
  /** The number of the invoice that it corrects; mostly it is a credit note. */
  readonly correctedNumber: string | null
  readonly isTaxIncluded: boolean
  readonly lines: readonly LineFacts[]
  readonly taxes: readonly TaxFacts[]
  readonly netMinor: number
  readonly taxMinor: number
  readonly totalMinor: number
  readonly prepaidUsedMinor: number
  readonly balanceUsedMinor: number
  /** When what is left to pay is due: one entry, or one for each instalment; none on a credit note. */
  readonly dues: readonly { readonly dueOn: string; readonly amountMinor: number }[]
  readonly taxInSellerCurrency: SellerCurrencyTax | null
  /** What the seller wrote to the buyer, as it was written. */
  readonly notes: readonly string[]
}

export interface PartyFacts {
  readonly name: string
  /** Lines of the address. */
  readonly address: string | null
  /** ISO 3166, two letters. */
  readonly country: string | null
  readonly taxId: string | null
  readonly registration: string | null
  readonly email: string | null
}

export interface BankAccount {
  readonly iban: string
  readonly bic: string | null
  readonly name: string | null
}

export interface LineFacts {
  /** It says its description and nothing else. */
  readonly isText?: true
  readonly description: string
  /** The heading below which it stands; null: with what is of no subscription. Left out where there are none. */
  readonly section?: string | null
  /** The heading is the reference of a purchase order. */
  readonly isSectionOfPurchaseOrder?: boolean
  /** What it belongs to: its subscription, its instance. */
  readonly context: readonly string[]
  readonly isCredit: boolean
  readonly isLate: boolean
  /** Its metric could not be read in time: what is missing comes on a later document. Left out: it was. */
  readonly isPending?: true
  /** Metered above what is billed at most; left out where nothing is. */
  readonly notBilledQuantity?: string
  /** Half-open; null for what is paid once. */
  readonly servicePeriod: { readonly start: string; readonly end: string } | null
  readonly quantity: string
  readonly unit: string
  /** Null where the price has no single one. */
  readonly unitPrice: string | null
  /** What it was priced from, where it has no single price: of each tier or package how many at how much. */
  readonly parts: readonly PricedPart[]
  /** What was taken off, as a positive amount. */
  readonly discountMinor: number
  /** `19`, as people write it; null where no tax was determined. */
  readonly taxPercent: string | null
  readonly amountMinor: number
}

export interface PricedPart {
  readonly quantity: string
  readonly unitPrice: string
}

export interface TaxFacts {
  readonly category: string
  readonly name: string
  readonly percent: string
  /** With the sign of the lines: on a credit note below zero. */
  readonly baseMinor: number
  readonly taxMinor: number
  /** The text that the law wants beside a rate that is not charged, as the rule has it. */
  readonly note: string | null
}

/** The tax in the seller's own currency, where the law asks for it. */
export interface SellerCurrencyTax {
  readonly currency: string
  readonly taxMinor: number
  /** 1 of the base is so many of the quote. */
  readonly base: string
  readonly quote: string
  readonly rate: string
  readonly source: string
  readonly date: string
}
