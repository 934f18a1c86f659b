import type { Formats } from './formats.ts'
import type { InvoiceFacts } from './invoice-facts.ts'
import type { Messages } from './messages/en.ts'

/** What the parts of a document are printed from. */
export interface Print {
  readonly facts: InvoiceFacts
  readonly messages: Messages
  readonly formats: Formats
  /** An amount of the document; a credit note's are kept positive, and to its reader they are money back, as its lines say. */
  readonly amount: (amountMinor: number) => string
}

export function given<T, R>(value: T | null, print: (value: T) => R): R[] {
  return value === null || value === '' ? [] : [print(value)]
}
