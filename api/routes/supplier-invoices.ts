import Big from 'big.js'
import { z } from '@hono/zod-openapi'
import type { Db, Tx } from '#db/database.ts'
import { setOffCredit } from '#db/payable.ts'
import { voidSupplierInvoice } from '#db/supplier-void.ts'
import { listDisputesOf } from '#db/read/dispute.ts'
import { listSupplierAllocations } from '#db/read/payable.ts'
import { listExpenseMappings, listSupplierTaxCodes } from '#db/read/expense.ts'
import {
  getSupplierInvoice,
  listSupplierInvoices,
  type SupplierInvoiceRow,
} from '#db/read/supplier-invoice.ts'
import { BusinessError } from '#domain/errors.ts'
import { findByName } from '#domain/supplied-line.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { toDisputeJson } from '../schemas/dispute.ts'
import { toCategoryReference } from '../schemas/expense.ts'
import { reasonSchema } from '../schemas/invoice-action.ts'
import { newSetOffSchema } from '../schemas/payable.ts'
import {
  supplierInvoiceDetailSchema,
  supplierInvoiceSchema,
  toSetAgainstJson,
  toSupplierInvoiceJson,
} from '../schemas/supplier-invoice.ts'

/** What suppliers have billed: what a peer sent, and what was recorded of others (`stated-invoices.ts`). It never changes. */
export function registerSupplierInvoices(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/supplier-invoices',
      permission: 'supplier_invoices:read',
      tag: 'Suppliers',
      summary: 'List what suppliers have billed',
      query: z.strictObject({
        ...pageQuery,
        peer: addressField.optional(),
        supplier: addressField.optional(),
        is_open: z
          .enum(['true', 'false'])
          .optional()
          .openapi({ description: 'true: those of which something is left to pay or to set off.' }),
      }),
      result: pageOf(supplierInvoiceSchema),
      refusals: ['peer_unknown', 'supplier_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const named = async (kind: 'peer' | 'supplier', text: string | undefined) =>
        text === undefined
          ? null
          : await resolveField(db, {
              kind,
              text,
              pointer: `?${kind}`,
              unknown: kind === 'peer' ? 'peer_unknown' : 'supplier_unknown',
            })
      const peerId = await named('peer', query.peer)
      const supplierId = await named('supplier', query.supplier)
      const filter = { peerId, supplierId, isOpen: query.is_open === 'true' }
      return toPage(await listSupplierInvoices(db, { ...page, ...filter }), page, toSupplierInvoiceJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/supplier-invoices/{id}',
      permission: 'supplier_invoices:read',
      tag: 'Suppliers',
      summary: 'Read a supplier invoice with all that it says',
      params: idParams,
      result: supplierInvoiceDetailSchema,
    },
    async ({ db, params }) =>
      await readSupplierInvoiceDetail(db, await resolveAddress(db, 'supplierInvoice', params.id)),
  )
  registerSetOff(frame)
  registerVoid(frame)
  refuseChanges(frame)
}

function registerSetOff(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/supplier-invoices/{id}/set-offs',
      permission: 'supplier_invoices:write',
      tag: 'Suppliers',
      summary: 'Set what is left of a credit note off against a supplier invoice',
      description: 'What a credit note corrects, it takes from by itself. This is for what is left of it.',
      params: idParams,
      body: newSetOffSchema,
      result: supplierInvoiceDetailSchema,
      refusals: [
        'currency_mismatch',
        'not_a_credit',
        'not_an_invoice',
        'nothing_to_pay',
        'payment_exceeds_invoice',
        'supplier_invoice_void',
        'supplier_mismatch',
      ],
    },
    async ({ transaction, params, body, now }) => {
      const tx = transaction()
      const id = await resolveAddress(tx, 'supplierInvoice', params.id)
      await carryOutSetOff(tx, id, body, now)
      return await readSupplierInvoiceDetail(tx, id)
    },
  )
}

function registerVoid(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/supplier-invoices/{id}/void',
      permission: 'supplier_invoices:write',
      tag: 'Suppliers',
      summary: 'Void what was recorded here and misread',
      description:
        'It stays as it was written and counts for nothing; its number can be recorded anew. What was set off against it, or by it, is free again. Never of what a peer sent.',
      params: idParams,
      body: reasonSchema,
      result: supplierInvoiceDetailSchema,
      refusals: ['supplier_invoice_immutable', 'supplier_invoice_paid', 'supplier_invoice_void'],
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const invoiceId = await resolveAddress(tx, 'supplierInvoice', params.id)
      await voidSupplierInvoice(tx, { invoiceId, reason: body.reason, actor: principal.name, now })
      return await readSupplierInvoiceDetail(tx, invoiceId)
    },
  )
}

export async function carryOutSetOff(
  tx: Tx,
  invoiceId: string,
  body: z.output<typeof newSetOffSchema>,
  now: string,
): Promise<void> {
  const creditNoteId = await resolveField(tx, {
    kind: 'supplierInvoice',
    text: body.credit_note,
    pointer: '/credit_note',
    unknown: 'not_found',
  })
  await setOffCredit(tx, { creditNoteId, invoiceId, amountMinor: body.amount_minor ?? null, now })
}

/** The database refuses it too. There are these routes so that who tries is told what to do instead. */
function refuseChanges(frame: Frame): void {
  for (const method of ['patch', 'delete'] as const)
    frame.route(
      {
        method,
        path: '/v1/supplier-invoices/{id}',
        permission: 'supplier_invoices:write',
        tag: 'Suppliers',
        summary: `Always refused: ${method === 'patch' ? 'what a supplier billed is never changed' : 'what a supplier billed is kept'}`,
        params: idParams,
        ...(method === 'patch' ? { body: z.looseObject({}) } : {}),
        result: supplierInvoiceDetailSchema,
        refusals: ['supplier_invoice_immutable'],
      },
      async ({ db, params }) => {
        const { number, peer_id: peerId } = await getSupplierInvoice(
          db,
          await resolveAddress(db, 'supplierInvoice', params.id),
        )
        throw new BusinessError(
          'supplier_invoice_immutable',
          `${number} is what the supplier billed: a wrong one is corrected by the supplier's credit note.${peerId === null ? ' One that was misread is voided.' : ''}`,
        )
      },
    )
}

export async function readSupplierInvoiceDetail(db: Db, id: string) {
  const row = await getSupplierInvoice(db, id)
  const [allocations, disputes, mapped] = await Promise.all([
    listSupplierAllocations(db, { invoiceId: id }),
    listDisputesOf(db, { supplierInvoiceId: id }),
    readMappedLines(db, row),
  ])
  return {
    ...toSupplierInvoiceJson(row),
    content: row.content,
    set_against: allocations.map(toSetAgainstJson),
    disputes: disputes.map(toDisputeJson),
    unmapped_lines: mapped.filter((line) => line.expense_category === null).length,
    mapped,
  }
}

/** What each line is on our side, by what is agreed with the supplier today. */
export async function readMappedLines(db: Db, row: Pick<SupplierInvoiceRow, 'supplier_id' | 'content'>) {
  const [mappings, taxCodes] = await Promise.all([
    listExpenseMappings(db, row.supplier_id),
    listSupplierTaxCodes(db, row.supplier_id),
  ])
  return row.content.lines.map((line, index) => {
    const names = {
      description: line.description,
      productCode: line.product_code ?? null,
      subscription: line.subscription ?? null,
    }
    const mapping = findByName(mappings, names)
    const tax = taxCodes.find(
      (one) => one.tax_category === line.tax_category && new Big(one.rate_percent).eq(line.tax_rate_percent),
    )
    return {
      position: index + 1,
      expense_category: mapping === undefined ? null : toCategoryReference(mapping),
      tax_code: tax?.tax_code ?? null,
    }
  })
}
