import { z } from '@hono/zod-openapi'
import type { Db, Tx } from '#db/database.ts'
import { insertSupplierPayment, reverseSupplierPayment } from '#db/payable.ts'
import { getInstallation } from '#db/read/installation.ts'
import { listSupplierAllocations, readPayables, readSuppliersByIds, toPayable } from '#db/read/payable.ts'
import { getSupplierPayment, listSupplierPayments } from '#db/read/supplier-payment.ts'
import { assert } from '#domain/assert.ts'
import { dateIn } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import { agePayables, totalPayables } from '#domain/payable.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { reasonSchema } from '../schemas/invoice-action.ts'
import {
  newSupplierPaymentSchema,
  payablesSchema,
  supplierPaymentDetailSchema,
  supplierPaymentSchema,
  toAgedJson,
  toPaidPartJson,
  toSupplierPaymentJson,
} from '../schemas/payable.ts'
import { resolveSupplier } from './expenses.ts'

/** What is owed to suppliers, and the money that was paid to them. */
export function registerPayables(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/payables',
      permission: 'supplier_invoices:read',
      tag: 'Suppliers',
      summary: 'What is owed to suppliers, by age: per supplier and currency',
      description: 'The ages of a row sum to its open supplier invoices. Currencies are never summed.',
      result: payablesSchema,
    },
    async ({ db, now }) => await readAgedPayables(db, now),
  )
  registerReading(frame)
  registerWriting(frame)
}

export async function readAgedPayables(db: Db, now: string) {
  const { timeZone } = await getInstallation(db)
  const on = dateIn(timeZone, now)
  const rows = await readPayables(db, 'open')
  const payables = rows.map((row) => ({
    ...toPayable(row),
    supplierId: row.supplier_id,
    currency: row.currency,
  }))
  const aged = agePayables(payables, on)
  const named = await readSuppliersByIds(db, [...new Set(aged.map(({ supplierId }) => supplierId))])
  const byId = new Map(named.map((supplier) => [supplier.id, supplier]))
  return {
    on,
    suppliers: aged.map((row) => {
      const supplier = byId.get(row.supplierId)
      assert(supplier, 'what is owed is owed to somebody')
      const { code, name } = supplier
      return { supplier: { id: encodeId('supplier', supplier.id), code, name }, ...toAgedJson(row) }
    }),
    totals: totalPayables(aged).map(toAgedJson),
  }
}

function registerReading(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/supplier-payments',
      permission: 'supplier_invoices:read',
      tag: 'Suppliers',
      summary: 'List what was paid to suppliers',
      query: z.strictObject({ ...pageQuery, supplier: addressField.optional() }),
      result: pageOf(supplierPaymentSchema),
      refusals: ['supplier_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const supplierId =
        query.supplier === undefined ? null : await resolveSupplier(db, query.supplier, '?supplier')
      return toPage(await listSupplierPayments(db, { ...page, supplierId }), page, toSupplierPaymentJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/supplier-payments/{id}',
      permission: 'supplier_invoices:read',
      tag: 'Suppliers',
      summary: 'Read a payment to a supplier, with what it paid',
      params: idParams,
      result: supplierPaymentDetailSchema,
    },
    async ({ db, params }) => await readDetail(db, await resolveAddress(db, 'supplierPayment', params.id)),
  )
}

function registerWriting(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/supplier-payments',
      permission: 'supplier_invoices:write',
      tag: 'Suppliers',
      summary: 'Record money that was paid to a supplier',
      description: 'In full, in part, or over several supplier invoices of one supplier.',
      body: newSupplierPaymentSchema,
      result: supplierPaymentDetailSchema,
      status: 201,
      location: (payment) => `/v1/supplier-payments/${payment.id}`,
      refusals: [
        'currency_mismatch',
        'not_an_invoice',
        'paid_in_future',
        'payment_exceeds_invoice',
        'supplier_invoice_void',
        'supplier_mismatch',
      ],
    },
    async ({ transaction, body, principal, now }) => {
      const tx = transaction()
      return await readDetail(tx, await recordSupplierPayment(tx, body, { actor: principal.name, now }))
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/supplier-payments/{id}/reverse',
      permission: 'supplier_invoices:write',
      tag: 'Suppliers',
      summary: 'Take a payment to a supplier back as a whole',
      description: 'It came back, or was recorded by mistake. What it paid is open again.',
      params: idParams,
      body: reasonSchema,
      result: supplierPaymentDetailSchema,
      refusals: ['payment_reversed'],
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const paymentId = await resolveAddress(tx, 'supplierPayment', params.id)
      await reverseSupplierPayment(tx, { paymentId, reason: body.reason, actor: principal.name, now })
      return await readDetail(tx, paymentId)
    },
  )
}

/** @returns its id */
export async function recordSupplierPayment(
  tx: Tx,
  body: z.output<typeof newSupplierPaymentSchema>,
  { actor, now }: { actor: string; now: string },
): Promise<string> {
  const { timeZone } = await getInstallation(tx)
  const today = dateIn(timeZone, now)
  const parts = []
  for (const [index, part] of body.pays.entries()) {
    const invoiceId = await resolveField(tx, {
      kind: 'supplierInvoice',
      text: part.supplier_invoice,
      pointer: `/pays/${index}/supplier_invoice`,
      unknown: 'not_found',
    })
    parts.push({ invoiceId, amountMinor: part.amount_minor })
  }
  return await insertSupplierPayment(tx, {
    parts,
    currency: body.currency ?? null,
    paidOn: body.paid_on ?? today,
    today,
    reference: body.reference ?? null,
    actor,
    now,
  })
}

async function readDetail(db: Db, id: string) {
  const [row, allocations] = await Promise.all([
    getSupplierPayment(db, id),
    listSupplierAllocations(db, { paymentId: id }),
  ])
  return { ...toSupplierPaymentJson(row), pays: allocations.map(toPaidPartJson) }
}
