import { z } from '@hono/zod-openapi'
import type { CustomerRow } from '#db/read/customer.ts'
import { encodeId } from '#domain/identifier.ts'
import {
  addressField,
  codeField,
  countryField,
  currencyField,
  externalIdField,
  nameField,
  textField,
} from './common.ts'
import { paymentTermsField } from './payment-terms.ts'

const lineField = nameField.max(100)

/** What may be left out, and what may change later. */
const factsShape = {
  external_id: externalIdField.nullish(),
  email: z.email().max(254).nullish(),
  address: textField(1000).nullish(),
  price_list: addressField.nullish(),
  country: countryField.nullish().openapi({
    description: 'It decides the tax; without one, the buyer is taken to be in the country of the seller.',
  }),
  region: lineField.nullish(),
  is_business: z.boolean().optional(),
  tax_id: lineField.nullish(),
  is_tax_id_verified: z
    .boolean()
    .optional()
    .openapi({ description: 'Set by an operator who found it in its register; not verified means taxed.' }),
  tax_exemption: nameField.nullish().openapi({ description: 'Why no tax is paid, as it is printed.' }),
  language: z
    .string()
    .regex(/^[a-z]{2}$/, 'A language has two letters of ISO 639, such as de')
    .optional()
    .openapi({ description: 'Of what is printed; left out: en.' }),
  buyer_reference: lineField.nullish(),
  invoice_note: textField(1000)
    .min(1)
    .nullish()
    .openapi({ description: 'Printed on each document from now on.' }),
  payment_terms: paymentTermsField.nullish().openapi({ description: 'Without them, the seller’s hold.' }),
  payer: addressField
    .nullish()
    .openapi({ description: 'Who pays: documents go to them; null: the customer.' }),
  splits_by_purchase_order: z
    .boolean()
    .optional()
    .openapi({ description: 'Each purchase order reference has documents and invoices of its own.' }),
}

export const newCustomerSchema = z
  .strictObject({
    code: codeField(40),
    name: nameField,
    currency: currencyField
      .optional()
      .openapi({ description: 'Left out: the price list’s, else the installation’s.' }),
    time_zone: z
      .string()
      .refine(isTimeZone, { error: 'A time zone is a name such as Europe/Paris' })
      .optional()
      .openapi({ description: 'Left out: the installation’s.' }),
    ...factsShape,
  })
  .openapi('NewCustomer')

export const customerChangeSchema = z
  .strictObject({ name: nameField.optional(), ...factsShape })
  .openapi('CustomerChange')

function isTimeZone(text: string): boolean {
  // Offsets are understood too, but know no daylight saving: only names are taken.
  if (!/^[A-Za-z]/.test(text)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) instanceof Intl.DateTimeFormat
  } catch {
    return false
  }
}

export const customerSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    external_id: z.string().nullable(),
    name: z.string(),
    email: z.string().nullable(),
    address: z.string().nullable(),
    currency: z.string(),
    time_zone: z.string(),
    price_list: z.string().nullable(),
    country: z.string().nullable(),
    region: z.string().nullable(),
    is_business: z.boolean(),
    tax_id: z.string().nullable(),
    tax_id_verified_at: z.string().nullable(),
    tax_exemption: z.string().nullable(),
    language: z.string(),
    buyer_reference: z.string().nullable(),
    invoice_note: z.string().nullable(),
    payment_terms: paymentTermsField.nullable(),
    payer: z.string().nullable().openapi({ description: 'Code of who pays.' }),
    splits_by_purchase_order: z.boolean(),
    mail_verified_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Customer')

export function toCustomerJson(row: CustomerRow): z.input<typeof customerSchema> {
  return {
    id: encodeId('customer', row.id),
    code: row.code,
    external_id: row.external_id,
    name: row.name,
    email: row.email,
    address: row.address,
    currency: row.currency,
    time_zone: row.time_zone,
    price_list: row.price_list_code,
    country: row.country,
    region: row.region,
    is_business: row.is_business,
    tax_id: row.tax_id,
    tax_id_verified_at: row.tax_id_verified_at,
    tax_exemption: row.tax_exemption,
    language: row.language,
    buyer_reference: row.buyer_reference,
    invoice_note: row.invoice_note,
    payment_terms: row.payment_terms,
    payer: row.payer_code,
    splits_by_purchase_order: row.splits_by_purchase_order,
    mail_verified_at: row.mail_verified_at,
    created_at: row.created_at,
  }
}
