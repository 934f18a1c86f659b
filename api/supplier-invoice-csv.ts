import type { Tx } from '#db/database.ts'
import { inVain, unlessThrown } from '#db/in-vain.ts'
import { recordSupplierInvoice } from '#db/stated-invoice.ts'
import { getSupplierCurrency } from '#db/supplier.ts'
import { readCsv } from '#domain/csv.ts'
import { atField, BusinessError, fieldError, type FieldError } from '#domain/errors.ts'
import { parseAmount } from '#domain/money.ts'
import { resolveSupplier } from './routes/expenses.ts'
import { newSupplierInvoiceSchema, toStated } from './schemas/stated-invoice.ts'
import { parse } from './validation.ts'

/** Each row is a line of a document; rows of one supplier and number are one document, with what the first of them says of it. */
const needed = ['supplier', 'number', 'issued_on', 'description', 'amount'] as const
const optional = [
  'kind',
  'corrects',
  'currency',
  'due_on',
  'total',
  'quantity',
  'unit',
  'unit_price',
  'starts_on',
  'ends_on',
  'tax',
  'tax_category',
  'tax_rate_percent',
  'product_code',
  'subscription',
] as const
const supplierInvoiceColumns = [...needed, ...optional]

type Column = (typeof supplierInvoiceColumns)[number]

interface Row {
  /** As a table program counts them: the head is 1. */
  readonly number: number
  /** Empty cells are left out. */
  readonly cells: Readonly<Partial<Record<Column, string>>>
}

interface Recording {
  readonly actor: string
  readonly now: string
}

/**
 * Records every document of a file, or, where one of them is refused, none. Each refusal names its row: `/csv/3/amount`.
 * @returns their ids, in the order of the file; what a dry run would record has none that lasts
 * @throws `csv_malformed`, and what `recordSupplierInvoice` refuses, with all that is wrong
 */
export async function importSupplierInvoices(
  tx: Tx,
  { csv, isDryRun }: { readonly csv: string; readonly isDryRun: boolean },
  by: Recording,
): Promise<string[]> {
  const documents = toDocuments(csv)
  const recordAll = async (all: Tx) => await recordDocuments(all, documents, by)
  return isDryRun ? await inVain(tx, recordAll) : await recordAll(tx)
}

/** One that is refused is taken back, so that the others are tried, too: all that is wrong is told at once. */
async function recordDocuments(
  tx: Tx,
  documents: readonly (readonly Row[])[],
  by: Recording,
): Promise<string[]> {
  const ids: string[] = []
  const refused: FieldError[] = []
  for (const rows of documents)
    try {
      ids.push(await unlessThrown(tx, async () => await recordDocument(tx, rows, by)))
    } catch (error) {
      refused.push(...toRefusals(error, rows))
    }
  const [first] = refused
  if (first === undefined) return ids
  const detail =
    refused.length === 1 ? first.detail : `${refused.length} cells are not valid; nothing was recorded.`
  throw new BusinessError(first.code, detail, { fields: refused.slice(0, 100) })
}

/** @throws `csv_malformed` */
function toDocuments(csv: string): Row[][] {
  const [head, ...records] = atField('/csv', () => readCsv(csv))
  const columns = head?.map((name) => name.trim().toLowerCase()) ?? []
  const unknown = columns.find((name) => !supplierInvoiceColumns.some((column) => column === name))
  const missing = needed.find((name) => !columns.includes(name))
  const twice = columns.find((name, index) => columns.indexOf(name) < index)
  if (unknown !== undefined) throw malformed(`There is no column ${unknown}.`)
  if (missing !== undefined) throw malformed(`There is no column ${missing} in the first row.`)
  if (twice !== undefined) throw malformed(`The column ${twice} is there twice.`)
  if (records.length === 0) throw malformed('There is no row below the first.')
  const rows = records.map((record, index): Row => {
    if (record.length > columns.length) throw malformed(`Row ${index + 2} has more cells than the first.`)
    const cells = record.flatMap((cell, at) =>
      cell.trim() === '' ? [] : [[columns[at], cell.trim()] as const],
    )
    return { number: index + 2, cells: Object.fromEntries(cells) }
  })
  const keyOf = ({ cells }: Row) => JSON.stringify([cells.supplier, cells.number])
  return [...Map.groupBy(rows, keyOf).values()]
}

const malformed = (detail: string) => fieldError('/csv', 'csv_malformed', detail)

/** @throws with pointers into the document, as `toRefusals` knows them */
async function recordDocument(tx: Tx, rows: readonly Row[], { actor, now }: Recording): Promise<string> {
  const head = rows[0]?.cells ?? {}
  const supplierId = await resolveSupplier(tx, head.supplier ?? '', '/supplier')
  const currency = head.currency ?? (await getSupplierCurrency(tx, supplierId))
  const lines = rows.map((row, index) => toLine(row, index, currency))
  const sum = (
    of: readonly { amount_minor: number; tax_minor: number }[],
    key: 'amount_minor' | 'tax_minor',
  ) => of.reduce((total, line) => total + line[key], 0)
  const groups = Map.groupBy(lines, (line) => JSON.stringify([line.tax_category, line.tax_rate_percent]))
  const [net_minor, tax_minor] = [sum(lines, 'amount_minor'), sum(lines, 'tax_minor')]
  const { supplier, number, kind, issued_on, due_on, total } = head
  const body = {
    ...defined({ supplier, number, kind, issued_on, due_on }),
    currency,
    net_minor,
    tax_minor,
    total_minor:
      total === undefined
        ? net_minor + tax_minor
        : atField('/total_minor', () => parseAmount(total, currency)),
    tax_rounding: 'line',
    lines,
    taxes: [...groups.values()].map((of) => ({
      category: of[0]?.tax_category,
      rate_percent: of[0]?.tax_rate_percent,
      base_minor: sum(of, 'amount_minor'),
      tax_minor: sum(of, 'tax_minor'),
    })),
  }
  return await recordSupplierInvoice(tx, {
    supplierId,
    correctsId: null,
    correctsNumber: head.corrects ?? null,
    origin: 'csv',
    stated: toStated(parse(newSupplierInvoiceSchema, body, 'body')),
    upload: null,
    actor,
    now,
  })
}

function toLine({ cells }: Row, index: number, currency: string) {
  const minorOf = (name: 'amount' | 'tax') => {
    const text = cells[name] ?? (name === 'tax' ? '0' : '')
    const isBelow = text.startsWith('-')
    const amountMinor = atField(`/lines/${index}/${name}_minor`, () =>
      parseAmount(isBelow ? text.slice(1) : text, currency),
    )
    return isBelow ? 0 - amountMinor : amountMinor
  }
  const { description, quantity, unit, unit_price, product_code, subscription } = cells
  const { starts_on, ends_on, tax_category = 'standard', tax_rate_percent = '0' } = cells
  return {
    ...defined({ description, quantity, unit, unit_price, product_code, subscription }),
    ...(starts_on === undefined && ends_on === undefined
      ? {}
      : { service_period: defined({ starts_on, ends_on }) }),
    tax_category,
    tax_rate_percent,
    amount_minor: minorOf('amount'),
    tax_minor: minorOf('tax'),
  }
}

function defined(of: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(of).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** What was wrong with a document, at the cells of its rows. What is no refusal is raised on. */
function toRefusals(error: unknown, rows: readonly Row[]): FieldError[] {
  if (!(error instanceof BusinessError)) throw error
  const { code, message: detail } = error
  const fields = error.fields.length > 0 ? error.fields : [{ pointer: '', code, detail }]
  return fields.map((field) => {
    const [, first, index, name, inner] = field.pointer.split('/')
    const [row, column] = first === 'lines' ? [rows[Number(index)], inner ?? name] : [rows[0], first]
    const cell = column?.replace(/_minor$/, '')
    return { ...field, pointer: ['/csv', row?.number ?? 1, ...(cell ? [cell] : [])].join('/') }
  })
}
