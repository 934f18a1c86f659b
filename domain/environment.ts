import { startOfDay } from './calendar.ts'
import { fieldError, type ErrorCode } from './errors.ts'

/** Where what is ordered is to live: an environment of the customer, or a new one. Null is the customer's own. */
export type AskedEnvironment =
  | { readonly kind: 'existing'; readonly environmentId: string }
  | ({ readonly kind: 'new' } & EnvironmentNames)

/** The prefix begins the name of everything on a server. Both are unique in the installation, and fixed. */
export interface EnvironmentNames {
  readonly name: string
  readonly prefix: string
}

export type NameKind = 'name' | 'prefix'

const pattern = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/
const rule =
  '1 to 40 lower case letters, digits and hyphens, begins with a letter and does not end with a hyphen'

/**
 * @param at of the names in the request
 * @throws `name_invalid` for 64 characters, upper case, a leading hyphen
 */
export function checkEnvironmentNames(names: EnvironmentNames, at = '/environment'): void {
  for (const kind of ['name', 'prefix'] as const) {
    if (pattern.test(names[kind])) continue
    throw fieldError(`${at}/${kind}`, 'name_invalid', `${JSON.stringify(names[kind])} is no ${kind}: it has ${rule}.`) // prettier-ignore
  }
}

/** The refusal of what is used, or held by another open order: `name_taken`, `prefix_taken`. */
export function takenName(kind: NameKind, value: string, at = '/environment') {
  const codes: Readonly<Record<NameKind, ErrorCode>> = { name: 'name_taken', prefix: 'prefix_taken' }
  return fieldError(`${at}/${kind}`, codes[kind], `The ${kind} ${value} is taken. Choose another one.`)
}

/**
 * The instant from which others can have the names of a draft: in the shop some minutes after it was made or changed, of a
 * quote when it expires.
 * @param draft `expiresOn` is the first day on which the quote cannot be had any more, where the customer is
 */
export function reservationEnd(
  draft: { channel: string; expiresOn: string; timeZone: string; nowAt: string },
  minutes: number,
): string {
  const quoteEnd = startOfDay(draft.timeZone, draft.expiresOn)
  if (draft.channel !== 'shop') return quoteEnd
  const end = new Date(Date.parse(draft.nowAt) + minutes * 60_000).toISOString()
  return Date.parse(end) < Date.parse(quoteEnd) ? end : quoteEnd
}
