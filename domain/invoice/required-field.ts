import { BusinessError } from '../errors.ts'
import { isInEuropeanUnion } from '../tax.ts'

/** What a document says of its parties, and of its tax. */
export interface StatedParties {
  readonly seller: {
    readonly country?: string
    readonly name: string
    readonly address: string
    readonly taxId: string | null
  }
  readonly buyer: {
    readonly code: string
    readonly name: string
    readonly address: string | null
    readonly taxId?: string | null
  }
  readonly taxes: readonly { readonly category: string; readonly note: string | null }[]
}

export type RequiredField =
  'seller.name' | 'seller.address' | 'seller.tax_id' | 'buyer.name' | 'buyer.address' | 'buyer.tax_id'

const fieldNames: Readonly<Record<RequiredField, string>> = {
  'seller.name': 'name',
  'seller.address': 'address',
  'seller.tax_id': 'tax id',
  'buyer.name': 'name',
  'buyer.address': 'address',
  'buyer.tax_id': 'tax id',
}

const partiesInFull: readonly RequiredField[] = [
  'seller.name',
  'seller.address',
  'seller.tax_id',
  'buyer.name',
  'buyer.address',
]

/** Countries outside the EU whose law asks for both parties in full as well. */
const otherCountries = new Set(['CH', 'GB', 'LI', 'NO'])

/**
 * What the law of the seller's country wants on a document and is not there; in the EU by article 226 of directive
 * 2006/112/EC. A document that says nothing of tax, as of a seller without country or rates, needs nothing.
 */
export function missingFields({ seller, buyer, taxes }: StatedParties): RequiredField[] {
  // The same test as for what is printed: a seller who keeps no rates says nothing of tax.
  const isTaxSaid = taxes.some(({ category, note }) => category !== 'out_of_scope' || note !== null)
  const { country } = seller
  if (!isTaxSaid || country === undefined) return []
  if (!isInEuropeanUnion(country) && !otherCountries.has(country)) return []
  const isReverseCharge = taxes.some(({ category }) => category === 'reverse_charge')
  const required: readonly RequiredField[] = isReverseCharge
    ? [...partiesInFull, 'buyer.tax_id']
    : partiesInFull
  const stated: Readonly<Record<RequiredField, string | null | undefined>> = {
    'seller.name': seller.name,
    'seller.address': seller.address,
    'seller.tax_id': seller.taxId,
    'buyer.name': buyer.name,
    'buyer.address': buyer.address,
    'buyer.tax_id': buyer.taxId,
  }
  return required.filter((field) => (stated[field] ?? '').trim() === '')
}

/** The refusal `invoice_field_missing`, which names each field and where to add it; null when nothing is missing. */
export function refuseMissingFields(parties: StatedParties): BusinessError | null {
  const missing = missingFields(parties)
  if (missing.length === 0) return null
  const of = (party: 'seller' | 'buyer') => missing.filter((field) => field.startsWith(party))
  const mend = (fields: readonly RequiredField[], owner: string) =>
    fields.length === 0 ? [] : [`Add ${fields.map((field) => fieldNames[field]).join(' and ')} to ${owner}.`]
  const remedies = [
    ...mend(of('seller'), 'the seller'),
    ...mend(of('buyer'), `customer ${parties.buyer.code}`),
  ]
  return new BusinessError(
    'invoice_field_missing',
    `An invoice of a seller in ${parties.seller.country ?? ''} needs ${missing.join(', ')}. ${remedies.join(' ')}`,
  )
}
