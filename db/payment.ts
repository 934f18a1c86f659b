import { openMinor } from '#domain/invoice/balance.ts'
import { BusinessError } from '#domain/errors.ts'
import { formatMoney } from '#domain/money.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { lockFinalizedInvoice } from './invoice-lock.ts'
import { readInvoiceMoney } from './invoice-money.ts'
import { queuePeerStandings } from './peer-standing.ts'

export interface ReceivedPayment {
  readonly invoiceId: string
  readonly amountMinor: number
  readonly currency: string
  /** As the bank statement has it. */
  readonly reference: string | null
  readonly actor: string
  readonly receivedAt: string
}

/**
 * Records money that came in elsewhere, on a bank account perhaps. Of two at once for the last of an invoice one is refused.
 * @throws `not_found`, `not_finalized`, `not_an_invoice`, `currency_mismatch`, `payment_exceeds_invoice`
 */
export async function insertPayment(tx: Tx, payment: ReceivedPayment): Promise<void> {
  const invoice = await lockFinalizedInvoice(tx, payment.invoiceId)
  if (payment.currency !== invoice.currency) {
    throw new BusinessError('currency_mismatch', `${invoice.number} is to be paid in ${invoice.currency}.`)
  }
  const leftMinor = openMinor(await readInvoiceMoney(tx, invoice.id))
  if (payment.amountMinor > leftMinor) {
    throw new BusinessError(
      'payment_exceeds_invoice',
      `${formatMoney(leftMinor, invoice.currency)} is left to pay of ${invoice.number}.`,
    )
  }
  await tx
    .insertInto('allocations')
    .values({
      id: newId(),
      invoice_id: invoice.id,
      kind: 'payment',
      credit_note_id: null,
      amount_minor: payment.amountMinor,
      reference: payment.reference,
      allocated_at: payment.receivedAt,
    })
    .execute()
  await insertEvent(tx, {
    kind: 'invoice.payment_recorded',
    customerId: invoice.customer_id,
    invoiceId: invoice.id,
    businessAt: payment.receivedAt,
    data: {
      number: invoice.number,
      amount_minor: payment.amountMinor,
      currency: invoice.currency,
      actor: payment.actor,
    },
  })
  await queuePeerStandings(tx, [invoice.id])
}
