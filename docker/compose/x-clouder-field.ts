import { z } from 'zod'
import { actionRights, type ActionDefinition } from '#domain/action.ts'
import { orderFieldKinds, type OrderField } from '#domain/order-field.ts'
import { argumentList, code, title, variableName } from './object-name.ts'

const fieldCode = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}$/, 'is not a code of letters, digits, - and _')
const decimal = z
  .union([z.string().regex(/^-?\d{1,12}(\.\d{1,10})?$/, 'is not a decimal'), z.number()])
  .transform(String)

const shape = {
  code: fieldCode,
  title,
  kind: z.enum(orderFieldKinds).default('text'),
  required: z.boolean().default(false),
  help: z.string().min(1).max(500).optional(),
  least: decimal.optional(),
  greatest: decimal.optional(),
  pattern: z.string().min(1).max(200).refine(isPattern, 'is no regular expression').optional(),
  choices: z.array(z.string().min(1).max(200)).max(100).default([]),
}

const fitting = <Field extends z.ZodType<z.output<z.ZodObject<typeof shape>>>>(field: Field) =>
  field
    .refine((of) => (of.kind === 'choice') === of.choices.length > 0, {
      path: ['choices'],
      message: 'belongs to choice, which needs it',
    })
    .refine((of) => of.kind === 'number' || (of.least ?? of.greatest) === undefined, {
      path: ['kind'],
      message: 'has bounds, which belong to number',
    })
    .refine((of) => of.kind === 'text' || of.kind === 'secret' || of.pattern === undefined, {
      path: ['pattern'],
      message: 'belongs to text and secret',
    })

/** What is asked of whoever orders the application; each field sets a variable of the file. */
export const formField = fitting(z.strictObject({ ...shape, variable: variableName })).transform((field) =>
  toField(field, field.variable),
)

const actionField = fitting(z.strictObject(shape)).transform((field) => toField(field, null))

function toField(
  { required, help, least, greatest, pattern, ...field }: z.output<z.ZodObject<typeof shape>>,
  variable: string | null,
): OrderField {
  const { kind, choices } = field
  return {
    code: field.code,
    title: field.title,
    kind,
    isRequired: required,
    variable,
    least: least ?? null,
    greatest: greatest ?? null,
    pattern: pattern ?? null,
    choices,
    ...(help === undefined ? {} : { help }),
  }
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/** What the application does on request. */
export const action: z.ZodType<ActionDefinition> = z
  .strictObject({
    code,
    title,
    /** Who may run it. */
    right: z.enum(actionRights).default('staff'),
    service: z.string().min(1).max(63),
    command: argumentList.refine(
      ([program]) => !/^\{.*\}$/.test(program ?? ''),
      'begins with what somebody says',
    ),
    fields: z.array(actionField).max(20).default([]),
    confirmation: z.string().min(1).max(500).optional(),
    timeout_s: z.int().min(1).max(60).default(30),
  })
  .refine(({ fields }) => fields.filter((field) => field.kind === 'secret').length <= 1, {
    path: ['fields'],
    message: 'has two secrets; one goes to standard input',
  })
  .refine(
    ({ command, fields }) =>
      command.every((argument) => {
        const [, named] = /^\{([^{}]*)\}$/.exec(argument) ?? []
        return named === undefined || fields.some((field) => field.code === named && field.kind !== 'secret')
      }),
    { path: ['command'], message: 'names a field that it does not have, or a secret one' },
  )
  .transform(({ timeout_s: timeoutS, confirmation, ...of }) => ({
    ...of,
    confirmation: confirmation ?? null,
    timeoutS,
  }))
