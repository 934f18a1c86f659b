import { z } from '@hono/zod-openapi'
import type { CustomerRow } from '#db/read/customer.ts'
import { encodeId } from '#domain/identifier.ts'
import { addressField, codeField, currencyField, nameField, textField } from './common.ts'

export const newCustomerSchema = z
  .strictObject({
    code: codeField(40),
    name: nameField,
    email: z.email().max(254).nullish(),
    address: textField(1000).nullish(),
    currency: currencyField
      .optional()
      .openapi({ description: 'Left out: the price list’s, else the installation’s.' }),
    time_zone: z
      .string()
      .refine(isTimeZone, { error: 'A time zone is a name such as Europe/Paris' })
      .optional()
      .openapi({ description: 'Left out: the installation’s.' }),
    price_list: addressField.nullish(),
  })
  .openapi('NewCustomer')

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
    name: z.string(),
    email: z.string().nullable(),
    address: z.string().nullable(),
    currency: z.string(),
    time_zone: z.string(),
    price_list: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Customer')

export function toCustomerJson(row: CustomerRow): z.input<typeof customerSchema> {
  return {
    id: encodeId('customer', row.id),
    code: row.code,
    name: row.name,
    email: row.email,
    address: row.address,
    currency: row.currency,
    time_zone: row.time_zone,
    price_list: row.price_list_code,
    created_at: row.created_at,
  }
}
