import type { Tx } from '#db/database.ts'
import { closePortal } from '#db/portal-session.ts'
import { getCustomer } from '#db/read/customer.ts'
import { getOneOffCharge } from '#db/read/one-off-charge.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { openPortal, type Permission } from '../permission.ts'
import { changeCustomer } from '../routes/customers.ts'
import { billWaiting, chargeOnce, takeChargeBack } from '../routes/one-off-charges.ts'
import { customerChangeSchema } from '../schemas/customer.ts'
import { newOneOffChargeSchema } from '../schemas/one-off-charge.ts'
import { parse } from '../validation.ts'
import { withdrawForm } from './customer-charges.tsx'
import { customerBody } from './customer.tsx'
import { knownOf, registerRowForm, saidOf, type SentForm } from './row-form.ts'
import type { Values } from './sent-form.ts'

interface CustomerForm {
  readonly action: string
  readonly permission: Permission
  readonly form: (values: Values) => string
  /** Gives where to go on to; a part of the customer's page begins with `?` or `#`. */
  readonly carryOut: (tx: Tx, sent: SentForm & { customerId: string }) => Promise<string>
}

const forms: readonly CustomerForm[] = [
  {
    action: 'facts',
    permission: 'customers:write',
    form: () => 'facts',
    carryOut: async (tx, { customerId: id, values, now }) => {
      await changeCustomer(tx, { id, body: await toChange(tx, id, values), now })
      return '?saved=facts#facts'
    },
  },
  {
    action: 'one-off-charges',
    permission: 'invoices:write',
    form: () => 'charge',
    carryOut: async (tx, { customerId, values, now }) => {
      const said = { ...saidOf(values), text: values['text'] === 'true' }
      await chargeOnce(tx, { customerId, body: parse(newOneOffChargeSchema, said, 'body'), now })
      return '#charges'
    },
  },
  {
    action: 'withdraw-charge',
    permission: 'invoices:write',
    form: ({ charge }) => withdrawForm(charge ?? ''),
    carryOut: async (tx, { customerId, values, now }) => {
      const id = await resolveAddress(tx, 'oneOffCharge', values['charge'] ?? '')
      const { customer_id: ownerId } = await getOneOffCharge(tx, id)
      if (ownerId !== customerId) throw new BusinessError('not_found', 'It is a charge of another customer.')
      await takeChargeBack(tx, id, now)
      return '#charges'
    },
  },
  {
    action: 'close-portal',
    permission: openPortal,
    form: () => 'close-portal',
    carryOut: async (tx, { customerId, actor, now }) => {
      await closePortal(tx, { customerId, actor, now })
      return '#portal'
    },
  },
  {
    action: 'bill',
    permission: 'invoices:write',
    form: () => 'bill',
    carryOut: async (tx, { customerId, commandId, now }) => {
      const body = { customer: encodeId('customer', customerId) }
      return `/invoices/${encodeId('invoice', await billWaiting(tx, { body, commandId, now }))}`
    },
  },
]

export function registerCustomerForms(frame: Frame): void {
  for (const { action, permission, form, carryOut } of forms) {
    registerRowForm(frame, {
      path: `/customers/:id/${action}`,
      permission,
      form: (_id, values) => form(values),
      carryOut: async (tx, sent) => {
        const to = await carryOut(tx, { ...sent, customerId: decodeId('customer', sent.id) })
        return to.startsWith('/') ? to : `/customers/${sent.id}${to}`
      },
      showAgain: async (view, id, refused) => await customerBody(frame, view, id, { refused }),
    })
  }
}

/** The mark of a verified tax id is said only where it was changed: else each saving would date it anew. */
async function toChange(tx: Tx, id: string, values: Values) {
  const { tax_id_verified_at: verifiedAt } = await getCustomer(tx, id)
  const { is_tax_id_verified: _verified, ...known } = knownOf(values)
  const isVerified = values['is_tax_id_verified'] === 'true'
  const change = {
    ...known,
    name: values['name'],
    language: values['language'],
    is_business: values['is_business'] === 'true',
    splits_by_purchase_order: values['splits_by_purchase_order'] === 'true',
    ...(isVerified === (verifiedAt !== null) ? {} : { is_tax_id_verified: isVerified }),
  }
  return parse(customerChangeSchema, change, 'body')
}
