import Big from 'big.js'
import type { ApplicationDefinition } from './application.ts'
import { fieldError } from './errors.ts'
import type { ProductOption } from './option.ts'
import type { OrderField } from './order-field.ts'

/** What is decided about how a product is offered before it is saved. */
export interface Offer {
  readonly options: readonly ProductOption[]
  readonly orderFields: readonly OrderField[]
}

interface Variable {
  readonly name: string
  readonly pointer: string
}

/**
 * Refuses what could not be answered or told: two of one code, a choice without choices, bounds that leave nothing, a pattern
 * that is none, a secret that goes nowhere, a variable that no application has or that two would set.
 * @throws `code_taken`, `field_required`, `field_invalid`, each with the pointer of its field
 */
export function checkOffer(
  { options, orderFields }: Offer,
  applications: readonly ApplicationDefinition[],
): void {
  refuseTwice(options, '/options')
  refuseTwice(orderFields, '/order_fields')
  for (const [index, option] of options.entries()) checkOption(option, `/options/${index}`)
  for (const [index, field] of orderFields.entries()) checkField(field, `/order_fields/${index}`)
  const variables = [
    ...options.map(({ variable }, index) => ({ name: variable, pointer: `/options/${index}/variable` })),
    ...orderFields.map(({ variable }, index) => ({
      name: variable,
      pointer: `/order_fields/${index}/variable`,
    })),
  ].filter((one): one is Variable => one.name !== null)
  checkVariables(variables, applications)
}

function refuseTwice(all: readonly { readonly code: string }[], pointer: string): void {
  for (const [index, { code }] of all.entries()) {
    if (all.findIndex((other) => other.code === code) === index) continue
    throw fieldError(`${pointer}/${index}/code`, 'code_taken', `${code} is there twice.`)
  }
}

function checkOption(option: ProductOption, pointer: string): void {
  refuseTwice(option.choices, `${pointer}/choices`)
  checkChoices(option.kind, option.choices.length, pointer)
  if (option.kind === 'choice' && option.productId !== null)
    throw fieldError(`${pointer}/product`, 'field_invalid', 'Each choice names the product that it sells.')
  checkBounds(option, option.kind === 'quantity', pointer)
}

function checkField(field: OrderField, pointer: string): void {
  checkChoices(field.kind, field.choices.length, pointer)
  checkBounds(field, field.kind === 'number', pointer)
  if (field.kind === 'secret' && field.variable === null)
    throw fieldError(
      `${pointer}/variable`,
      'field_required',
      'A secret is kept for a variable only: name it.',
    )
  if (field.pattern === null) return
  if (field.kind !== 'text' && field.kind !== 'secret')
    throw fieldError(`${pointer}/pattern`, 'field_invalid', 'A pattern is for texts and secrets.')
  if (!isPattern(field.pattern))
    throw fieldError(`${pointer}/pattern`, 'field_invalid', `${field.pattern} is no regular expression.`)
}

function checkChoices(kind: string, count: number, pointer: string): void {
  if (kind === 'choice' && count === 0)
    throw fieldError(`${pointer}/choices`, 'field_required', 'A choice needs something to choose from.')
  if (kind !== 'choice' && count > 0)
    throw fieldError(`${pointer}/choices`, 'field_invalid', 'Only a choice has choices.')
}

function checkBounds(
  { least, greatest }: { readonly least: string | null; readonly greatest: string | null },
  isNumber: boolean,
  pointer: string,
): void {
  if (!isNumber && (least !== null || greatest !== null)) {
    const name = least === null ? 'greatest' : 'least'
    throw fieldError(`${pointer}/${name}`, 'field_invalid', 'Only a number has bounds.')
  }
  if (least !== null && greatest !== null && new Big(least).gt(greatest))
    throw fieldError(`${pointer}/greatest`, 'field_invalid', `It lies below the least, ${least}.`)
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/** A product without an application sells beside another's, which is not known here. */
function checkVariables(
  variables: readonly Variable[],
  applications: readonly ApplicationDefinition[],
): void {
  const declared = applications
    .flatMap(({ variables: own = [], secrets }) => [...own, ...secrets])
    .map(({ name }) => name)
  for (const [index, { name, pointer }] of variables.entries()) {
    if (applications.length > 0 && !declared.includes(name)) {
      const known = declared.join(', ') || 'none'
      throw fieldError(pointer, 'field_invalid', `The applications use no variable ${name}: ${known}.`)
    }
    if (variables.findIndex((other) => other.name === name) !== index)
      throw fieldError(pointer, 'field_invalid', `${name} would be set twice.`)
  }
}
