import type { Tx } from '#db/database.ts'
import { getSupplierInvoice, type SupplierInvoiceRow } from '#db/read/supplier-invoice.ts'
import { recordSupplierInvoice } from '#db/stated-invoice.ts'
import { insertSupplier } from '#db/supplier.ts'
import { readUblInvoice, type ReadUbl } from '#documents/ubl-reading.ts'
import { atField } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { newSupplierSchema, supplierDetailSchema } from '../schemas/expense.ts'
import {
  importedInvoiceSchema,
  newSupplierInvoiceSchema,
  recordedFromCsvSchema,
  supplierInvoiceCsvSchema,
  toStated,
  type NewSupplierInvoice,
} from '../schemas/stated-invoice.ts'
import { supplierInvoiceDetailSchema } from '../schemas/supplier-invoice.ts'
import { importSupplierInvoices } from '../supplier-invoice-csv.ts'
import { parse } from '../validation.ts'
import { readSupplier, resolveSupplier } from './expenses.ts'
import { readSupplierInvoiceDetail } from './supplier-invoices.ts'

const [tag, permission] = ['Suppliers', 'supplier_invoices:write'] as const

/** Suppliers that are no installations, and what they bill, as somebody reads it off. */
export function registerStatedInvoices(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/suppliers',
      permission,
      tag,
      summary: 'Record a supplier that is no installation',
      description: 'A peer that bills us is a supplier by itself.',
      body: newSupplierSchema,
      result: supplierDetailSchema,
      status: 201,
      location: (supplier) => `/v1/suppliers/${supplier.id}`,
      refusals: ['code_taken'],
    },
    async ({ transaction, body }) => {
      const tx = transaction()
      return await readSupplier(tx, await insertSupplier(tx, { ...body, tax_id: body.tax_id ?? null }))
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/supplier-invoices',
      permission,
      tag,
      summary: 'Record what a supplier without an installation has billed',
      description:
        'As it is printed, also a credit note: its amounts are above 0. Its sums are held against each other, and from then on it never changes.',
      body: newSupplierInvoiceSchema,
      result: supplierInvoiceDetailSchema,
      status: 201,
      location: (invoice) => `/v1/supplier-invoices/${invoice.id}`,
      refusals: [
        'document_number_taken',
        'not_an_invoice',
        'sums_disagree',
        'supplier_invoice_void',
        'supplier_is_peer',
        'supplier_mismatch',
        'supplier_unknown',
      ],
    },
    async ({ transaction, body, principal, now }) => {
      const tx = transaction()
      const id = await carryOutRecording(tx, body, { actor: principal.name, now })
      return await readSupplierInvoiceDetail(tx, id)
    },
  )
  registerImport(frame)
  registerCsv(frame)
}

function registerCsv(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/supplier-invoices/import-csv',
      permission,
      tag,
      summary: 'Record documents of suppliers without installations from one CSV file, all of them or none',
      description:
        'Refusals name the row as a table program counts it, and its column: `/csv/3/amount`. The same file a second time is refused by its numbers.',
      body: supplierInvoiceCsvSchema,
      result: recordedFromCsvSchema,
      status: 201,
      refusals: [
        'csv_malformed',
        'document_number_taken',
        'sums_disagree',
        'supplier_is_peer',
        'supplier_unknown',
      ],
    },
    async ({ transaction, body, principal, now }) => {
      const tx = transaction()
      const by = { actor: principal.name, now }
      const ids = await importSupplierInvoices(tx, { csv: body.csv, isDryRun: body.dry_run }, by)
      return {
        is_dry_run: body.dry_run,
        count: ids.length,
        supplier_invoices: body.dry_run
          ? []
          : await Promise.all(ids.map(async (id) => toRecordedJson(await getSupplierInvoice(tx, id)))),
      }
    },
  )
}

function toRecordedJson(row: SupplierInvoiceRow) {
  const total = { amount_minor: row.total_minor, currency: row.currency }
  return { id: encodeId('supplierInvoice', row.id), number: row.number, supplier: row.supplier_name, total }
}

function registerImport(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/supplier-invoices/import',
      permission,
      tag,
      summary: 'Record a supplier’s e-invoice, in UBL 2.1',
      description:
        'An Invoice or CreditNote as EN 16931 has it. What is read of it is held to the same sums; the file itself is kept, and given out again.',
      body: importedInvoiceSchema,
      result: supplierInvoiceDetailSchema,
      status: 201,
      location: (invoice) => `/v1/supplier-invoices/${invoice.id}`,
      refusals: [
        'document_number_taken',
        'sums_disagree',
        'supplier_is_peer',
        'supplier_unknown',
        'ubl_unreadable',
        'xml_malformed',
      ],
    },
    async ({ transaction, body, principal, now }) => {
      const tx = transaction()
      const id = await carryOutImport(tx, body, { actor: principal.name, now })
      return await readSupplierInvoiceDetail(tx, id)
    },
  )
}

/** @returns its id */
export async function carryOutImport(
  tx: Tx,
  body: { readonly supplier: string; readonly ubl: string },
  by: { readonly actor: string; readonly now: string },
): Promise<string> {
  const supplierId = await resolveSupplier(tx, body.supplier, '/supplier')
  const { stated, corrects } = atField('/ubl', () => readUblInvoice(body.ubl))
  return await recordSupplierInvoice(tx, {
    supplierId,
    correctsId: null,
    correctsNumber: corrects,
    origin: 'ubl',
    stated: checkRead(body.supplier, stated),
    upload: Buffer.from(body.ubl),
    ...by,
  })
}

/** What was read of a file is held to the bounds of what is written down. Who bills and is billed is as the file says it. */
function checkRead(supplier: string, { seller, buyer, ...stated }: ReadUbl['stated']) {
  return { ...toStated(parse(newSupplierInvoiceSchema, { supplier, ...stated }, 'body')), seller, buyer }
}

/** @returns its id */
export async function carryOutRecording(
  tx: Tx,
  body: NewSupplierInvoice,
  by: { readonly actor: string; readonly now: string },
): Promise<string> {
  const supplierId = await resolveSupplier(tx, body.supplier, '/supplier')
  const correctsId =
    body.corrects == null
      ? null
      : await resolveField(tx, {
          kind: 'supplierInvoice',
          text: body.corrects,
          pointer: '/corrects',
          unknown: 'not_found',
        })
  return await recordSupplierInvoice(tx, {
    supplierId,
    correctsId,
    origin: 'hand',
    stated: toStated(body),
    upload: null,
    correctsNumber: null,
    ...by,
  })
}
