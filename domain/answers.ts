import type { CatalogProduct } from './order.ts'
import { fieldError } from './errors.ts'
import { chooseOption, type ChosenOption } from './option.ts'
import { readOrderField, type OrderField } from './order-field.ts'

/** What a customer chose and said on an order line, by the codes of options and order fields, as text. */
export interface Answers {
  readonly options: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
  /** Instances that its applications are to be linked to, by the names of their wants. Left out: none is named. */
  readonly links?: Readonly<Record<string, string>>
}

export const noAnswers: Answers = { options: {}, fields: {} }

/** What a product asks of whoever orders it. */
type Asking = Pick<CatalogProduct, 'options' | 'orderFields' | 'form' | 'askedVariables'>

/** Answers as they were read: what is sold by them, and what the application is told. */
export interface ReadAnswers {
  readonly chosen: readonly (ChosenOption & { readonly pointer: string })[]
  /** Values of the application's variables; null stands for a secret. */
  readonly variables: Readonly<Record<string, string | null>>
  /** Pointers of what sets them. */
  readonly places: Readonly<Record<string, string>>
  /** By variable. Nothing keeps them as they are. */
  readonly secrets: Readonly<Record<string, string>>
}

/**
 * Reads the answers to what the products of an order line ask. Two products of a kit that ask for one code have one answer.
 * @param pointer of the order line
 * @throws `field_required`, `field_invalid`, `quantity_invalid`, each with its pointer
 */
export function readAnswers(products: readonly Asking[], answers: Answers, pointer: string): ReadAnswers {
  refuseUnknown(
    answers.options,
    products.flatMap((product) => product.options.map(({ code }) => code)),
    `${pointer}/options`,
  )
  const fields = fieldsOf(products)
  refuseUnknown(
    answers.fields,
    fields.map(({ code }) => code),
    `${pointer}/fields`,
  )
  const options = uniqueByCode(products.flatMap((product) => product.options))
  const chosen = options.flatMap((option) => {
    const at = `${pointer}/options/${option.code}`
    const read = chooseOption(option, ownValue(answers.options, option.code), at)
    return read === null ? [] : [{ ...read, pointer: at }]
  })
  const variables: Record<string, string | null> = {}
  const secrets: Record<string, string> = {}
  const places: Record<string, string> = {}
  for (const { option, value, pointer: at } of chosen) {
    if (option.variable === null) continue
    variables[option.variable] = value
    places[option.variable] = at
  }
  for (const field of fields) {
    const at = `${pointer}/fields/${field.code}`
    const value = readOrderField(field, ownValue(answers.fields, field.code), at)
    if (field.variable === null || value === null) continue
    places[field.variable] = at
    variables[field.variable] = field.kind === 'secret' ? null : value
    if (field.kind === 'secret') secrets[field.variable] = value
  }
  return { chosen, variables, places, secrets }
}

/** What an order line keeps of its answers: what is secret is sealed apart, by the codes of its fields. */
export interface KeptAnswers {
  readonly plain: Answers
  readonly secret: Readonly<Record<string, string>>
}

/** Takes the secrets out of what was said. */
export function partAnswers(answers: Answers, products: readonly Asking[]): KeptAnswers {
  const fields = fieldsOf(products)
  const isSecret = ([code]: readonly [string, string]) =>
    fields.some((field) => field.code === code && field.kind === 'secret')
  const said = Object.entries(answers.fields)
  return {
    plain: {
      options: answers.options,
      fields: Object.fromEntries(said.filter((one) => !isSecret(one))),
      ...(answers.links === undefined ? {} : { links: answers.links }),
    },
    secret: Object.fromEntries(said.filter(isSecret)),
  }
}

function refuseUnknown(
  said: Readonly<Record<string, string>>,
  known: readonly string[],
  pointer: string,
): void {
  for (const code of Object.keys(said)) {
    if (known.includes(code)) continue
    const detail = `Nothing is asked under ${code}. What is: ${known.join(', ') || 'nothing'}.`
    throw fieldError(`${pointer}/${code}`, 'field_invalid', detail)
  }
}

/** Of a variable whose name says that its value is nobody's business. */
const secretName = /(?:^|_)(?:PASSWORD|PASSWD|PASS|SECRET|TOKEN|KEY|CREDENTIALS?)(?:_|$)/i

/**
 * The order fields of the products, those of their applications' forms, and a field for each variable that is asked for besides. What
 * a product asks for a variable is asked instead of what its application would.
 */
function fieldsOf(products: readonly Asking[]): OrderField[] {
  const declared = products.flatMap(({ options, orderFields }) => [...options, ...orderFields])
  const isSet = (by: readonly { readonly variable: string | null }[], name: string | null) =>
    by.some(({ variable }) => variable === name)
  const form = products
    .flatMap(({ form: fields = [] }) => fields)
    .filter(({ variable }) => !isSet(declared, variable))
  const asked = products
    .flatMap(({ askedVariables = [] }) => askedVariables)
    .filter((name) => !isSet([...declared, ...form], name))
    .map((name) => ({
      code: name,
      title: name,
      kind: secretName.test(name) ? ('secret' as const) : ('text' as const),
      isRequired: false,
      variable: name,
      least: null,
      greatest: null,
      pattern: null,
      choices: [],
    }))
  return uniqueByCode([...products.flatMap(({ orderFields }) => orderFields), ...form, ...asked])
}

function uniqueByCode<T extends { readonly code: string }>(all: readonly T[]): T[] {
  return [...new Map(all.toReversed().map((one) => [one.code, one])).values()].toReversed()
}

function ownValue(said: Readonly<Record<string, string>>, code: string): string | undefined {
  return Object.hasOwn(said, code) ? said[code] : undefined
}
