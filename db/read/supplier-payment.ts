import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function supplierPayments(db: Db) {
  return db
    .selectFrom('supplier_payments as payment')
    .innerJoin('suppliers as supplier', 'supplier.id', 'payment.supplier_id')
    .leftJoin('supplier_payment_reversals as reversal', 'reversal.payment_id', 'payment.id')
    .selectAll('payment')
    .select(['supplier.name as supplier_name', 'supplier.code as supplier_code'])
    .select(['reversal.reversed_at', 'reversal.reason as reversal_reason'])
}

export type SupplierPaymentRow = Awaited<ReturnType<typeof listSupplierPayments>>[number]

export async function listSupplierPayments(db: Db, page: PageRequest & { supplierId: string | null }) {
  const query = onPage(supplierPayments(db), page, 'payment.id')
  return await (
    page.supplierId === null ? query : query.where('payment.supplier_id', '=', page.supplierId)
  ).execute()
}

export async function getSupplierPayment(db: Db, id: string): Promise<SupplierPaymentRow> {
  return await supplierPayments(db).where('payment.id', '=', id).executeTakeFirstOrThrow()
}
