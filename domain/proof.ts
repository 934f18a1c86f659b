/** One document as both sides know it: the supplier's id, and SHA-256 of what was sent, hexadecimal. */
export interface KnownDocument {
  /** `inv_…` */
  readonly document: string
  readonly number: string
  readonly issuedOn: string
  readonly sha256: string
  /** Of who bills: it has not been taken over there yet. */
  readonly isWaiting: boolean
}

/** What the documents of one month come to. */
export interface MonthDigest {
  /** `2026-03` */
  readonly month: string
  readonly documents: number
  /** SHA-256 of `digestText`, hexadecimal. */
  readonly root: string
}

export type DocumentDifference = 'missing_there' | 'missing_here' | 'other_content'

export interface DifferingDocument {
  readonly document: string
  readonly number: string
  readonly issuedOn: string
  readonly difference: DocumentDifference
  /** It is on its way: nothing is wrong but the time. */
  readonly isWaiting: boolean
}

/** Documents by the months in which they were issued, in order. */
export function byMonth<D extends Pick<KnownDocument, 'issuedOn'>>(
  documents: readonly D[],
): ReadonlyMap<string, readonly D[]> {
  const grouped = Map.groupBy(documents, ({ issuedOn }) => issuedOn.slice(0, 7))
  return new Map([...grouped].toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/**
 * The text whose SHA-256 is the root of documents: a line for each, its id, a space, its hash, sorted by id. Two sides that have the
 * same documents with the same content have the same text, in whatever order they came.
 * @example digestText([{ document: 'inv_01kb…', sha256: '9f…' }]) // 'inv_01kb… 9f…\n'
 */
export function digestText(documents: readonly Pick<KnownDocument, 'document' | 'sha256'>[]): string {
  return documents
    .map(({ document, sha256 }) => `${document} ${sha256}\n`)
    .toSorted()
    .join('')
}

/** The months of which two sides do not say the same, in order; a month that only one of them has is among them. */
export function differingMonths(ours: readonly MonthDigest[], theirs: readonly MonthDigest[]): string[] {
  const said = (digests: readonly MonthDigest[]) =>
    new Map(digests.map(({ month, documents, root }) => [month, `${documents} ${root}`]))
  const [here, there] = [said(ours), said(theirs)]
  return [...new Set([...here.keys(), ...there.keys()])]
    .filter((month) => here.get(month) !== there.get(month))
    .toSorted()
}

/** Where two lists of documents differ, by the day of issue and the number. One of another content is told as we have it. */
export function compareDocuments(
  ours: readonly KnownDocument[],
  theirs: readonly KnownDocument[],
): DifferingDocument[] {
  const there = new Map(theirs.map((document) => [document.document, document]))
  const here = new Set(ours.map(({ document }) => document))
  const differing = ours.flatMap((document) => {
    const other = there.get(document.document)
    if (other?.sha256 === document.sha256) return []
    return toDiffering(document, other === undefined ? 'missing_there' : 'other_content')
  })
  const lacking = theirs
    .filter(({ document }) => !here.has(document))
    .map((document) => toDiffering(document, 'missing_here'))
  const key = ({ issuedOn, number }: DifferingDocument) => `${issuedOn} ${number}`
  return [...differing, ...lacking].toSorted((one, other) => (key(one) < key(other) ? -1 : 1))
}

function toDiffering(
  { document, number, issuedOn, isWaiting }: KnownDocument,
  difference: DocumentDifference,
): DifferingDocument {
  return { document, number, issuedOn, difference, isWaiting }
}
