/** The files that a document has besides its page: one for people, one that machines read. */
export const invoiceFileKinds = ['pdf', 'ubl'] as const
export type InvoiceFileKind = (typeof invoiceFileKinds)[number]

export const mediaTypes = { pdf: 'application/pdf', ubl: 'application/xml' } as const satisfies Record<
  InvoiceFileKind,
  string
>
export type InvoiceMediaType = (typeof mediaTypes)[InvoiceFileKind]

const endings: Readonly<Record<InvoiceFileKind, string>> = { pdf: 'pdf', ubl: 'xml' }

/** As it is saved: `INV/2026-7` gives `INV-2026-7.pdf`. */
export function fileNameOf(number: string, kind: InvoiceFileKind): string {
  return `${number.replaceAll(/[^\w.-]/g, '-')}.${endings[kind]}`
}

/** What goes from one installation to another of one file, in one message. */
export const largestSentFileBytes = 5 * 1024 * 1024

/** A file of a document as it goes from who bills to who is billed: the names are those of the message. */
export interface SupplierFile {
  /** The supplier's own id of the document: `inv_…`. */
  readonly document: string
  readonly media_type: InvoiceMediaType
  readonly name: string
  /** Hexadecimal. Null, as `data` is, where there is no such file. */
  readonly sha256: string | null
  readonly bytes: number
  /** Base64. */
  readonly data: string | null
  /** Why there is none; null where there is one. */
  readonly missing: string | null
}
