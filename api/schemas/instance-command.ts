import { z } from '@hono/zod-openapi'
import type { InstanceCommand } from '#db/instance-command.ts'
import { actionRights, type ActionDefinition } from '#domain/action.ts'
import { instanceCommandKinds, instanceCommandStates } from '#domain/instance-command.ts'
import { logLevels, type LogLine } from '#domain/log-line.ts'
import { orderFieldSchema, toFieldJson } from './offer.ts'
import { addressField, instantField, textField } from './common.ts'

export const actionParams = z.object({
  id: addressField.openapi({ description: 'An id of an instance.' }),
  code: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'Not a code of an action')
    .openapi({ description: 'An action of its application.' }),
})

export const secretParams = z.object({
  id: addressField.openapi({ description: 'An id of an instance.' }),
  name: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'Not a name of a secret')
    .openapi({ description: 'A secret of its application.' }),
})

export const runActionSchema = z
  .strictObject({
    fields: z
      .record(z.string().max(40), textField(1_000))
      .default({})
      .openapi({ description: 'What the action asks, by the codes of its fields.' }),
  })
  .openapi('RunAction')

export const actionSchema = z
  .object({
    code: z.string(),
    title: z.string(),
    right: z.enum(actionRights).openapi({
      description: 'staff: running it needs the scope instances:write besides.',
    }),
    confirmation: z.string().nullable(),
    fields: z.array(orderFieldSchema),
  })
  .openapi('Action')

export function toActionJson(action: ActionDefinition): z.input<typeof actionSchema> {
  const { code, title, right, confirmation, fields } = action
  return { code, title, right, confirmation, fields: fields.map(toFieldJson) }
}

export const instanceCommandSchema = z
  .object({
    id: z.string(),
    kind: z.enum(instanceCommandKinds),
    subject: z.string().nullable().openapi({ description: 'The action’s code, or the secret’s name.' }),
    by: z.string(),
    fields: z.record(z.string(), z.string()).openapi({ description: 'Without what was said in secret.' }),
    state: z.enum(instanceCommandStates),
    exit_code: z.number().int().nullable(),
    output: z.string().nullable().openapi({ description: 'What the action wrote, without secrets.' }),
    refusal: z.object({ code: z.string(), detail: z.string() }).nullable(),
    asked_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .openapi('InstanceCommand')

export function toInstanceCommandJson(row: InstanceCommand): z.input<typeof instanceCommandSchema> {
  return {
    id: row.request_id,
    kind: row.kind,
    subject: row.subject,
    by: row.actor,
    fields: { ...row.answers },
    state: row.state,
    exit_code: row.exit_code,
    output: row.output,
    refusal: row.refusal_code === null ? null : { code: row.refusal_code, detail: row.refusal_detail ?? '' },
    asked_at: row.asked_at,
    finished_at: row.finished_at,
  }
}

export const logQuery = z.strictObject({
  service: z.string().min(1).max(63).optional(),
  since: instantField.optional().openapi({ description: 'Lines from then on.' }),
  level: z.enum(logLevels).optional().openapi({ description: 'That urgent, or more.' }),
  search: textField(200).optional().openapi({ description: 'Lines that hold this text, in whatever case.' }),
  limit: z.coerce.number().int().min(1).max(1_000).default(200).openapi({ description: 'Of the newest.' }),
})

export const logSchema = z
  .object({
    data: z
      .array(
        z.object({
          at: z.string(),
          service: z.string(),
          stream: z.enum(['stdout', 'stderr']),
          level: z.enum(logLevels),
          text: z.string(),
        }),
      )
      .openapi({ description: 'Oldest first. Of each container the newest 5,000 lines are looked through.' }),
  })
  .openapi('Log')

export function toLogJson(lines: readonly LogLine[]): z.input<typeof logSchema> {
  return { data: lines.map(({ at, service, stream, level, text }) => ({ at, service, stream, level, text })) }
}

export function toLogRequest(query: z.output<typeof logQuery>) {
  const { service = null, since = null, level = null, search = null, limit } = query
  return { service, since, level, search, limit }
}

export const secretFactsSchema = z
  .object({
    data: z.array(
      z.object({
        name: z.string(),
        version: z.number().int(),
        made_at: z.string(),
        shown_at: z.string().nullable(),
      }),
    ),
  })
  .openapi('SecretFacts')

export const shownSecretSchema = z.object({ name: z.string(), value: z.string() }).openapi('ShownSecret')
