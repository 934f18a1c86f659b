import type { ApplicationDefinition } from './application.ts'
import { BusinessError, fieldError } from './errors.ts'
import { readOrderField, type OrderField } from './order-field.ts'

/** `customer`: whoever may act on instances may run it; `staff`: it needs the right to change instances besides. */
export const actionRights = ['staff', 'customer'] as const

/** Something that an application does on request, inside one of its containers. */
export interface ActionDefinition {
  readonly code: string
  readonly title: string
  readonly right: (typeof actionRights)[number]
  readonly service: string
  /** An argument list; `{code}` as a whole argument stands for what was said in the field of that code. No shell reads it. */
  readonly command: readonly string[]
  /** What is said with it. What is secret, at most one, goes to the command's standard input. */
  readonly fields: readonly OrderField[]
  /** Asked before it is run on a page; null: it is run at once. */
  readonly confirmation: string | null
  readonly timeoutS: number
}

/** How an application lets somebody in without a password. */
export interface LoginDefinition {
  readonly right: (typeof actionRights)[number]
  readonly service: string
  /** Prints a path on the application's address that logs in once, and not for longer than a minute. */
  readonly command: readonly string[]
}

/** @throws `login_not_offered` */
export function requireLogin({
  title,
  login,
}: Pick<ApplicationDefinition, 'title' | 'login'>): LoginDefinition {
  if (login !== undefined) return login
  throw new BusinessError('login_not_offered', `${title} has no login of its own for links.`)
}

/**
 * The path that a login command printed.
 * @throws `command_failed` for what is no path: it could lead to another host
 */
export function readLoginPath(output: string): string {
  const [path = ''] = output.trim().split('\n')
  if (/^\/(?![/\\])[!-~]{1,2000}$/.test(path)) return path
  throw new BusinessError('command_failed', 'The login command printed no path from / on.')
}

/** What was said with an action, checked. */
export interface ActionAnswers {
  readonly plain: Readonly<Record<string, string>>
  readonly secret: string | null
}

/** @throws `not_found` */
export function findAction(actions: readonly ActionDefinition[] | undefined, code: string): ActionDefinition {
  const found = actions?.find((action) => action.code === code)
  if (found !== undefined) return found
  const known = actions?.map((action) => action.code).join(', ') || 'none'
  throw new BusinessError('not_found', `The application has no action ${code}; it has: ${known}.`)
}

/**
 * Checks what was said with an action.
 * @throws `field_required`, `field_invalid`, each with its pointer below `/fields`
 */
export function readActionAnswers(
  { fields }: ActionDefinition,
  said: Readonly<Record<string, string>>,
): ActionAnswers {
  for (const code of Object.keys(said)) {
    if (fields.some((field) => field.code === code)) continue
    throw fieldError(`/fields/${code}`, 'field_invalid', `Nothing is asked under ${code}.`)
  }
  const plain: Record<string, string> = {}
  let secret: string | null = null
  for (const field of fields) {
    const pointer = `/fields/${field.code}`
    const value = readOrderField(
      field,
      Object.hasOwn(said, field.code) ? said[field.code] : undefined,
      pointer,
    )
    if (value === null) continue
    if (field.kind === 'secret') secret = value
    else plain[field.code] = refuseOption(field, value, pointer)
  }
  return { plain, secret }
}

/** A command could take it for an option of its own. */
function refuseOption(field: OrderField, value: string, pointer: string): string {
  if (field.kind === 'number' || !value.startsWith('-')) return value
  throw fieldError(pointer, 'field_invalid', `${field.title} does not begin with a hyphen.`)
}

/**
 * The argument list of an action: `['purge', '{path}']` and `{ path: '/blog' }` give `['purge', '/blog']`. An answer replaces whole
 * arguments only, so it can never become a part of a command; an argument whose field was left empty is left out.
 */
export function actionCommand(
  { command, fields }: ActionDefinition,
  plain: Readonly<Record<string, string>>,
): string[] {
  return command.flatMap((argument) => {
    const field = fields.find(({ code }) => argument === `{${code}}`)
    if (field === undefined) return [argument]
    return Object.hasOwn(plain, field.code) ? [plain[field.code] ?? ''] : []
  })
}
