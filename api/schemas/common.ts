import { z } from '@hono/zod-openapi'
import { refuseWith } from '../validation.ts'

/** A code that a person gives: lower case letters, digits, hyphens; begins with a letter. */
export function codeField(greatestLength: number) {
  return z
    .string()
    .regex(
      new RegExp(`^[a-z][a-z0-9-]{0,${greatestLength - 1}}$`),
      `A code has 1 to ${greatestLength} lower case letters, digits and hyphens and begins with a letter`,
    )
}

/** A recorded or measured value of an instance. */
export const valueCodeField = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,39}$/,
    'A value’s code has 1 to 40 lower case letters, digits and underscores and begins with a letter',
  )
  .openapi({ description: 'A recorded or measured value of the instance, such as users or disk_gib.' })

/** What a person calls it. No control characters, as names are printed in terminals and logs; and well-formed text. */
export const nameField = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'A name has no control characters')

/** An id or, where the kind has one, a code, or ext: and an external id. */
export const addressField = z
  .string()
  .min(1)
  .max(104)
  .regex(/^[!-~]+$/, 'An id or code has visible ASCII characters only')

/** By which another system knows it; in addresses it stands after ext:, which is no part of it. */
export const externalIdField = z
  .string()
  .regex(
    /^(?!ext:)[!-~]{1,100}$/,
    'An external id has 1 to 100 visible ASCII characters, without ext: before',
  )
  .openapi({ description: 'Unique per kind; usable in addresses as ext: and the external id.' })

/** Free text of several lines. PostgreSQL keeps everything but the NUL character. */
export function textField(greatestLength: number) {
  return z
    .string()
    .max(greatestLength)
    .regex(/^\P{Cs}*$/u, 'Not well-formed text')
    .refine((text) => !text.includes('\0'), { error: 'A text has no NUL character' })
}

export const addressParams = z.object({
  id: addressField.openapi({ description: 'An id, a code, or ext: and an external id.' }),
})
export const idParams = z.object({ id: addressField.openapi({ description: 'An id.' }) })

/** An amount of 0 or more, an exact decimal in major units, such as "0.0000012345". */
export const amountField = z
  .string()
  .regex(/^-?\d{1,12}(\.\d{1,20})?$/, 'A price is a decimal as text, such as "12.50"')
  .refine((text) => !/^-.*[1-9]/.test(text), { error: refuseWith('price_negative', 'A price is 0 or more.') })
  .openapi({ example: '12.50' })

/** Decimals as text; a JSON number is taken as it was written. The domain decides what a quantity may be. */
export const quantityField = z
  .union([z.string().max(40), z.number()], {
    error: refuseWith('quantity_invalid', 'A quantity is a number above 0.'),
  })
  .transform(String)
  .openapi({ example: '5' })

export const rateField = z
  .string()
  .regex(/^(100(\.0+)?|\d{1,2}(\.\d{1,6})?)$/, 'A rate is a decimal from 0 to 100, as text')
  .openapi({ example: '19' })

export const currencyField = z
  .string()
  .regex(/^[A-Z]{3}$/, refuseWith('currency_unknown', 'A currency is a code of ISO 4217 such as EUR.'))
  .openapi({ example: 'USD' })

export const countryField = z
  .string()
  .regex(/^[A-Z]{2}$/, 'A country has two letters of ISO 3166, such as DE')
  .openapi({ example: 'DE' })

/** From 1900 on: the years that begin a calendar are written otherwise by each program, and no business is of them. */
const isOfOurYears = (text: string) => text >= '1900'
export const dateField = z.iso
  .date()
  .refine(isOfOurYears, 'A day is one from 1900 on')
  .openapi({ example: '2026-01-31' })
export const instantField = z.iso
  .datetime({ offset: true })
  .refine(isOfOurYears, 'An instant is one from 1900 on')
  .openapi({ example: '2026-01-31T09:00:00Z' })

export const moneySchema = z
  .object({
    amount_minor: z
      .number()
      .int()
      .openapi({ description: 'In the smallest unit of the currency: 1050 is 10.50 USD.' }),
    currency: z.string(),
  })
  .openapi('Money')

/** Something that is named beside its id. */
export const referenceSchema = z
  .object({ id: z.string(), code: z.string(), name: z.string() })
  .openapi('Reference')

export const periodSchema = z
  .object({ start: z.string(), end: z.string().openapi({ description: 'The first day after.' }) })
  .openapi('Period')
