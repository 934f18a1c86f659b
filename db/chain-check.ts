import { sql } from 'kysely'
import type { InvoiceLineExplanation } from '#domain/invoice/explanation.ts'
import type { Db } from './database.ts'
import { contentOf, type ContentInvoice, type ContentLine, type ContentTax } from './invoice-content.ts'
import { chain } from './number-series.ts'

/** A finalized document that is not what it was when it was finalized. */
export interface BrokenDocument {
  readonly series: string
  /** Empty where nothing of a series is left. */
  readonly number: string
  readonly invoiceId: string | null
  readonly fault: ChainFault
}

export const chainFaults = [
  /** Its content does not give its hash: a row of it was changed by force. */
  'content_changed',
  /** It names another document before it than there is. */
  'predecessor_changed',
  /** A number between it and the one before is not there. */
  'number_missing',
  /** It is the last of its series, and the series knows of a later one. */
  'end_missing',
] as const

export type ChainFault = (typeof chainFaults)[number]

export interface ChainCheck {
  readonly documents: number
  readonly series: number
  readonly broken: readonly BrokenDocument[]
}

const documentsPerRead = 500
/** Enough to see what happened; one change breaks one document. */
const mostBroken = 100

/**
 * Computes the hashes of finalized documents anew, series by series, and names those that do not fit. Documents from before
 * hashes were kept have none and are passed by. Memory stays flat, however many there are.
 * @param newest of each series so many; null: all
 */
export async function checkChain(db: Db, newest: number | null = null): Promise<ChainCheck> {
  const series = await db.selectFrom('number_series').selectAll().orderBy('code').execute()
  const skipped = Map.groupBy(
    await db.selectFrom('skipped_numbers').selectAll().execute(),
    (row) => row.series,
  )
  const broken: BrokenDocument[] = []
  let documents = 0
  for (const { code, next_number: nextNumber, last_hash: lastHash } of series) {
    let after = newest === null ? 0 : Math.max(0, nextNumber - 1 - newest)
    const isGiven = giverOf(skipped.get(code) ?? [])
    let before: LinkRow | null = after === 0 ? null : await readLink(db, code, after)
    for (;;) {
      const links = await readLinks(db, code, after)
      const hashes = await computeHashes(db, links)
      for (const link of links) {
        const fault = faultOf(link, before, { computed: hashes.get(link.id), isGiven })
        if (fault) broken.push({ series: code, number: link.number, invoiceId: link.id, fault })
        before = link
      }
      documents += links.length
      after = links.at(-1)?.sequence ?? after
      if (links.length < documentsPerRead || broken.length >= mostBroken) break
    }
    if (broken.length < mostBroken && isCutShort(before, { nextNumber, lastHash, isGiven })) {
      const { number = '', id = null } = before ?? {}
      broken.push({ series: code, number, invoiceId: id, fault: 'end_missing' })
    }
  }
  return { documents, series: series.length, broken: broken.slice(0, mostBroken) }
}

interface LinkRow {
  readonly id: string
  readonly sequence: number
  readonly number: string
  readonly hash: Buffer | null
  readonly previous_hash: Buffer | null
}

/** Whether all numbers between two were given to documents that are here; those that were skipped after a restore were not. */
type IsGiven = (after: number, before: number) => boolean

function giverOf(skipped: readonly { readonly first: number; readonly last: number }[]): IsGiven {
  return (after, before) => {
    let next = after + 1
    for (const { first, last } of skipped.toSorted((one, other) => one.first - other.first))
      if (first <= next && last >= next) next = last + 1
    return next >= before
  }
}

function faultOf(
  link: LinkRow,
  before: LinkRow | null,
  { computed, isGiven }: { computed: string | undefined; isGiven: IsGiven },
): ChainFault | null {
  if (!isGiven(before?.sequence ?? 0, link.sequence)) return 'number_missing'
  if (link.hash === null) return null
  if (link.previous_hash?.toString('hex') !== before?.hash?.toString('hex')) return 'predecessor_changed'
  return link.hash.toString('hex') === computed ? null : 'content_changed'
}

function isCutShort(
  last: LinkRow | null,
  of: { nextNumber: number; lastHash: Buffer | null; isGiven: IsGiven },
): boolean {
  if (!of.isGiven(last?.sequence ?? 0, of.nextNumber)) return true
  return of.lastHash !== null && last?.hash?.equals(of.lastHash) !== true
}

function links(db: Db, series: string) {
  return db
    .selectFrom('invoices')
    .select(['id', 'hash', 'previous_hash'])
    .select(sql<number>`sequence`.as('sequence'))
    .select(sql<string>`number`.as('number'))
    .where('series', '=', series)
    .where('finalized_at', 'is not', null)
}

async function readLinks(db: Db, series: string, after: number): Promise<LinkRow[]> {
  return await links(db, series)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(documentsPerRead)
    .execute()
}

/** The last one up to a number, which may have been skipped. */
async function readLink(db: Db, series: string, sequence: number): Promise<LinkRow | null> {
  const upTo = links(db, series).where('sequence', '<=', sequence).orderBy('sequence', 'desc').limit(1)
  return (await upTo.executeTakeFirst()) ?? null
}

/** What the hashes of documents must be by what stands in the database now, by id. */
async function computeHashes(db: Db, of: readonly LinkRow[]): Promise<ReadonlyMap<string, string>> {
  const ids = of.filter(({ hash }) => hash !== null).map(({ id }) => id)
  if (ids.length === 0) return new Map()
  const wanted = sql<string>`any(${ids}::uuid[])`
  const invoices = await db.selectFrom('invoices').selectAll().where('id', '=', wanted).execute()
  const lines = Map.groupBy(
    await db
      .selectFrom('invoice_lines')
      .selectAll()
      .where('invoice_id', '=', wanted)
      .orderBy('invoice_id')
      .orderBy('position')
      .execute(),
    (line) => line.invoice_id,
  )
  const taxes = Map.groupBy(
    await db
      .selectFrom('invoice_taxes')
      .selectAll()
      .where('invoice_id', '=', wanted)
      .orderBy('invoice_id')
      .orderBy('position')
      .execute(),
    (tax) => tax.invoice_id,
  )
  return new Map(
    invoices.map((invoice) => {
      const content = contentOf(
        { ...invoice, number: invoice.number ?? '' } satisfies ContentInvoice,
        (lines.get(invoice.id) ?? []) satisfies (ContentLine & { explanation: InvoiceLineExplanation })[],
        (taxes.get(invoice.id) ?? []) satisfies ContentTax[],
      )
      return [invoice.id, chain(invoice.previous_hash?.toString('hex') ?? null, content)]
    }),
  )
}
