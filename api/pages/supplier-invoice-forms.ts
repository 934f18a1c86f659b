import type { Tx } from '#db/database.ts'
import { getSupplierInvoice } from '#db/read/supplier-invoice.ts'
import { atField } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import { parseAmount } from '#domain/money.ts'
import { reverseSupplierPayment } from '#db/payable.ts'
import { voidSupplierInvoice } from '#db/supplier-void.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import type { Permission } from '../permission.ts'
import { raiseDisputeOf, withdrawDisputeOf } from '../routes/disputes.ts'
import { recordSupplierPayment } from '../routes/payables.ts'
import { carryOutSetOff } from '../routes/supplier-invoices.ts'
import { reasonSchema } from '../schemas/invoice-action.ts'
import { newDisputeSchema } from '../schemas/dispute.ts'
import { newSetOffSchema, newSupplierPaymentSchema } from '../schemas/payable.ts'
import { parse } from '../validation.ts'
import type { ConsoleView } from './console-page.tsx'
import { disputeForm } from './disputes.tsx'
import type { RefusedInput } from './form.tsx'
import { registerRowForm, saidOf, toNumber, type SentForm } from './row-form.ts'
import {
  payForm,
  setOffForm,
  supplierInvoiceBody,
  supplierInvoicePath,
  voidForm,
} from './supplier-invoice.tsx'

/** The same as the routes of the API, from the page of a supplier invoice. */
export function registerSupplierInvoiceForms(frame: Frame): void {
  const showAgain = async (view: ConsoleView, id: string, refused: RefusedInput) =>
    await supplierInvoiceBody(frame, view, id, refused)
  const register = (
    name: string,
    permission: Permission,
    form: (id: string, values: SentForm['values']) => string,
    act: (tx: Tx, sent: SentForm) => Promise<void>,
  ) => {
    registerRowForm(frame, {
      path: `${supplierInvoicePath}/:id/${name}`,
      permission,
      form,
      carryOut: async (tx, sent) => {
        await act(tx, sent)
        return `${supplierInvoicePath}/${sent.id}`
      },
      showAgain,
    })
  }
  const money = 'supplier_invoices:write'
  register('pay', money, () => payForm, pay)
  register('set-off', money, () => setOffForm, setOff)
  register('reverse', money, (_id, values) => `reverse-${values['payment'] ?? ''}`, reverse)
  register('void', money, () => voidForm, voidMisread)
  const dispute = 'disputes:write'
  register('dispute', dispute, () => disputeForm, raise)
  register('withdraw', dispute, (_id, values) => `withdraw-${values['dispute'] ?? ''}`, withdraw)
}

async function raise(tx: Tx, { id, values, actor, now }: SentForm): Promise<void> {
  const { lines, ...said } = saidOf(values)
  const body = lines === undefined ? said : { ...said, lines: lines.split(/[\s,]+/).map(toNumber) }
  await raiseDisputeOf(tx, id, parse(newDisputeSchema, body, 'body'), { actor, now })
}

async function withdraw(tx: Tx, { values, actor, now }: SentForm): Promise<void> {
  await withdrawDisputeOf(tx, values['dispute'] ?? '', { actor, now })
}

async function pay(tx: Tx, { id, values, actor, now }: SentForm): Promise<void> {
  const { amount, ...said } = saidOf(values)
  const amount_minor = amount === undefined ? undefined : await toMinor(tx, id, amount)
  const body = { ...said, pays: [{ supplier_invoice: id, amount_minor }] }
  await recordSupplierPayment(tx, parse(newSupplierPaymentSchema, body, 'body'), { actor, now })
}

async function setOff(tx: Tx, { id, values, now }: SentForm): Promise<void> {
  const { amount, ...said } = saidOf(values)
  const body = amount === undefined ? said : { ...said, amount_minor: await toMinor(tx, id, amount) }
  const invoiceId = await resolveAddress(tx, 'supplierInvoice', id)
  await carryOutSetOff(tx, invoiceId, parse(newSetOffSchema, body, 'body'), now)
}

async function reverse(tx: Tx, { values, actor, now }: SentForm): Promise<void> {
  const { payment = '', ...said } = saidOf(values)
  const { reason } = parse(reasonSchema, said, 'body')
  await reverseSupplierPayment(tx, { paymentId: decodeId('supplierPayment', payment), reason, actor, now })
}

async function voidMisread(tx: Tx, { id, values, actor, now }: SentForm): Promise<void> {
  const { reason } = parse(reasonSchema, saidOf(values), 'body')
  const invoiceId = await resolveAddress(tx, 'supplierInvoice', id)
  await voidSupplierInvoice(tx, { invoiceId, reason, actor, now })
}

/** Amounts are written as they are printed. */
async function toMinor(tx: Tx, publicId: string, amount: string): Promise<number> {
  const { currency } = await getSupplierInvoice(tx, await resolveAddress(tx, 'supplierInvoice', publicId))
  return atField('/amount', () => parseAmount(amount, currency))
}
