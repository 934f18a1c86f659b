import Big from 'big.js'
import { fieldError } from './errors.ts'
import type { BillingType } from './product.ts'
import { isWholeUnit } from './unit.ts'

/** A product, and the attribute of it that says how much one of it sells. */
export interface Variant {
  readonly code: string
  readonly attributes: Readonly<Record<string, string>>
  /** Null: one of it sells one unit. */
  readonly quantityAttribute: string | null
}

/**
 * What a line holds when so many are ordered: 2 of "5 users" are 10 users, at the price of a user.
 * @param ordered how many were asked for
 */
export function soldQuantity(variant: Variant, ordered: Big): Big {
  const size = sizeOf(variant)
  return size === undefined ? ordered : ordered.times(size)
}

/**
 * How much a line holds after a change to another variant that states no quantity: as many of it as of the one before.
 * 2 of "5 users" become 2 of "10 users"; 7 users, sold one by one, become one of "10 users".
 */
export function quantityOnChange(from: Variant, to: Variant, quantity: Big): Big {
  const [before, after] = [sizeOf(from), sizeOf(to)]
  if (after === undefined || from.code === to.code) return quantity
  const count = before === undefined ? new Big(1) : quantity.div(before).round(0, Big.roundUp)
  return after.times(count)
}

/** @throws `quantity_invalid` for 7 users of a variant that sells five each */
export function checkVariantQuantity(variant: Variant, quantity: Big, pointer: string): void {
  const size = sizeOf(variant)
  if (size === undefined || quantity.mod(size).eq(0)) return
  const detail = `${variant.code} is sold in multiples of ${size.toFixed()}, not ${quantity.toFixed()}.`
  throw fieldError(pointer, 'quantity_invalid', detail)
}

/**
 * What holds of a product that names the attribute of its quantity: it sells a threshold, and the attribute's value is a
 * number above 0, whole where its unit is.
 * @throws `field_invalid`, `quantity_invalid`, `quantity_not_whole`
 */
export function checkVariant(
  variant: Omit<Variant, 'code'> & { readonly billingType: BillingType; readonly unit: string },
): void {
  const { quantityAttribute: name, billingType, unit } = variant
  if (name === null) return
  const refuse = (detail: string) => fieldError('/quantity_attribute', 'field_invalid', detail)
  if (billingType !== 'threshold') throw refuse(`A ${billingType} product has no quantity that it could set.`)
  const value = valueOf(variant, name)
  if (value === undefined) throw refuse(`The product has no attribute ${name}.`)
  const pointer = `/attributes/${name}`
  if (!/^\d{1,12}(\.\d{1,10})?$/.test(value) || new Big(value).lte(0)) {
    throw fieldError(pointer, 'quantity_invalid', `It sets the quantity: a number above 0, not ${value}.`)
  }
  if (isWholeUnit(unit) && !new Big(value).mod(1).eq(0))
    throw fieldError(pointer, 'quantity_not_whole', `It sets the quantity, and a ${unit} is sold whole.`)
}

function sizeOf(variant: Variant): Big | undefined {
  const { quantityAttribute: name } = variant
  const value = name === null ? undefined : valueOf(variant, name)
  return value === undefined ? undefined : new Big(value)
}

function valueOf({ attributes }: Pick<Variant, 'attributes'>, name: string): string | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined
}
