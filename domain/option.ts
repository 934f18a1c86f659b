import Big from 'big.js'
import { fieldError } from './errors.ts'

export const optionKinds = ['choice', 'quantity', 'yes_no'] as const

/**
 * What a customer chooses when ordering a product. It is priced by the product that it sells, so that price lists, taxes,
 * discounts and changes hold for it as for everything else.
 */
export interface ProductOption {
  readonly code: string
  readonly title: string
  readonly kind: (typeof optionKinds)[number]
  readonly isRequired: boolean
  /** The application's variable that it sets. */
  readonly variable: string | null
  /** What a quantity or a yes sells; null: it costs nothing. */
  readonly productId: string | null
  /** Bounds of a quantity. */
  readonly least: string | null
  readonly greatest: string | null
  /** Of a choice; else none. */
  readonly choices: readonly OptionChoice[]
}

export interface OptionChoice {
  readonly code: string
  readonly title: string
  readonly productId: string | null
  /** How much of the product it sells. */
  readonly quantity: string
  /** What the variable is set to; null: its code. */
  readonly value: string | null
}

/** What an answer to an option sells, and what its variable is set to. */
export interface ChosenOption {
  readonly option: ProductOption
  readonly sold: { readonly productId: string; readonly quantity: string } | null
  readonly value: string
}

/**
 * What was chosen: of the option "disk", sold by the GiB, the answer `50` sells 50 GiB and sets its variable to `50`.
 * Nothing, `0` and `false` sell nothing.
 * @param answer as text: the code of a choice, a quantity, `true` or `false`; undefined when it was left out
 * @throws `field_required`, `field_invalid`, `quantity_invalid`
 */
export function chooseOption(
  option: ProductOption,
  answer: string | undefined,
  pointer: string,
): ChosenOption | null {
  if (answer === undefined || answer === '') {
    if (option.isRequired) throw fieldError(pointer, 'field_required', `${option.title} must be chosen.`)
    return null
  }
  if (option.kind === 'choice') return chooseOne(option, answer, pointer)
  if (option.kind === 'quantity') return chooseQuantity(option, answer, pointer)
  if (answer !== 'true' && answer !== 'false')
    throw fieldError(pointer, 'field_invalid', `${option.title} is true or false, not ${answer}.`)
  const isSold = answer === 'true' && option.productId !== null
  return { option, sold: isSold ? { productId: option.productId, quantity: '1' } : null, value: answer }
}

function chooseOne(option: ProductOption, answer: string, pointer: string): ChosenOption {
  const choice = option.choices.find(({ code }) => code === answer)
  if (!choice) {
    const known = option.choices.map(({ code }) => code).join(', ')
    throw fieldError(pointer, 'field_invalid', `${option.title} is one of ${known}, not ${answer}.`)
  }
  const { productId, quantity, value } = choice
  return { option, sold: productId === null ? null : { productId, quantity }, value: value ?? choice.code }
}

function chooseQuantity(option: ProductOption, answer: string, pointer: string): ChosenOption {
  if (!/^\d{1,12}(\.\d{1,10})?$/.test(answer))
    throw fieldError(pointer, 'quantity_invalid', `${option.title} is a number from 0 on, not ${answer}.`)
  refuseOutside(option, answer, pointer)
  const quantity = new Big(answer)
  const isSold = option.productId !== null && quantity.gt(0)
  return {
    option,
    sold: isSold ? { productId: option.productId, quantity: quantity.toFixed() } : null,
    value: quantity.toFixed(),
  }
}

/** @throws `field_invalid` for 5 where 10 is the least */
export function refuseOutside(
  bounds: { readonly title: string; readonly least: string | null; readonly greatest: string | null },
  number: string,
  pointer: string,
): void {
  const { title, least, greatest } = bounds
  if (least !== null && new Big(number).lt(least))
    throw fieldError(pointer, 'field_invalid', `${title} is ${least} at least, not ${number}.`)
  if (greatest !== null && new Big(number).gt(greatest))
    throw fieldError(pointer, 'field_invalid', `${title} is ${greatest} at most, not ${number}.`)
}
