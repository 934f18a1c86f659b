import { fieldError } from './errors.ts'
import { refuseOutside } from './option.ts'

export const orderFieldKinds = ['text', 'email', 'number', 'choice', 'yes_no', 'secret'] as const
const longestText = 1_000
const longestMatched = 200

/** What a customer says when ordering a product, such as the name of a shop. */
export interface OrderField {
  readonly code: string
  readonly title: string
  readonly kind: (typeof orderFieldKinds)[number]
  readonly isRequired: boolean
  /** The application's variable that it sets. A secret has one: it is kept for nothing else. */
  readonly variable: string | null
  /** Bounds of a number. */
  readonly least: string | null
  readonly greatest: string | null
  /** A regular expression that the whole text or secret matches. */
  readonly pattern: string | null
  /** Of a choice; else none. */
  readonly choices: readonly string[]
  /** Shown beside it. Left out: nothing. */
  readonly help?: string
}

/**
 * What was said in a field, as it is kept; null for nothing.
 * @throws `field_required`, `field_invalid`, both without the value: it may be a secret
 */
export function readOrderField(
  field: OrderField,
  answer: string | undefined,
  pointer: string,
): string | null {
  if (answer === undefined || answer === '') {
    if (field.isRequired) throw fieldError(pointer, 'field_required', `${field.title} is needed.`)
    return null
  }
  const refuse = (detail: string) => fieldError(pointer, 'field_invalid', `${field.title} ${detail}.`)
  if (answer.length > longestText || hasControl(answer))
    throw refuse(`is one line of at most ${longestText} characters`)
  switch (field.kind) {
    case 'number':
      if (!/^-?\d{1,12}(\.\d{1,10})?$/.test(answer)) throw refuse('is a number')
      refuseOutside(field, answer, pointer)
      return answer
    case 'choice':
      if (!field.choices.includes(answer)) throw refuse(`is one of ${field.choices.join(', ')}`)
      return answer
    case 'yes_no':
      if (answer !== 'true' && answer !== 'false') throw refuse('is true or false')
      return answer
    case 'email':
      if (!mailAddress.test(answer)) throw refuse('is a mail address')
      return answer
    case 'text':
    case 'secret':
      if (field.pattern !== null && !matches(field.pattern, answer))
        throw refuse(`does not match ${field.pattern}`)
      return answer
  }
}

/** As far as a form can know: whether mail arrives, only mail can tell. */
const mailAddress = /^[^@\s]{1,64}@[^@\s]{1,255}$/

/** Bounded in length: a pattern may need very long for a very long text. */
function matches(pattern: string, text: string): boolean {
  return text.length <= longestMatched && new RegExp(`^(?:${pattern})$`, 'u').test(text)
}

/** A line break in a variable could begin another one, where an application writes it to a file. */
function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text)
}
