import { fieldError } from '#domain/errors.ts'
import { currencyExponent } from '#domain/money.ts'

/** @throws `currency_unknown` with the field's pointer */
export function checkCurrency(currency: string, pointer = '/currency'): void {
  try {
    currencyExponent(currency)
  } catch {
    throw fieldError(
      pointer,
      'currency_unknown',
      `${currency} is not a currency that this installation knows.`,
    )
  }
}
