import { z } from '@hono/zod-openapi'
import type { Problem } from '../errors.ts'
import { problemSchema } from './problem.ts'

/** For the documentation: `readUsageEvent` in `domain/usage-event.ts` is what reads it. */
export const usageEventSchema = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z
      .string()
      .openapi({ description: 'Who counted. Source and id together name the event for ever.' }),
    type: z.string().openapi({ description: 'The metric.', example: 'network' }),
    subject: z.string().openapi({ description: 'The subscription: its id, or ext: and its external id.' }),
    time: z.string().optional().openapi({
      description: 'When it was used. Left out: now. Send it wherever the event may be sent twice.',
      example: '2026-01-31T09:00:00Z',
    }),
    data: z.object({
      quantity: z.union([z.string(), z.number()]).openapi({ example: '2.5' }),
      unit: z.string().optional().openapi({ description: 'Left out: the unit of what is sold.' }),
      properties: z
        .record(z.string(), z.string())
        .optional()
        .openapi({
          description: 'By which lines are told apart: up to 20 texts of up to 100 characters.',
          example: { region: 'eu' },
        }),
      start: z.string().optional().openapi({
        description: 'Of what was used over a span, with end: it counts at its end, and in no other period.',
        example: '2026-01-25T00:00:00Z',
      }),
      end: z.string().optional(),
      reverses: z.string().optional().openapi({
        description: 'Id of an event of the same source, of which this one takes back a part or all.',
      }),
    }),
  })
  .openapi('UsageEvent', { description: 'A CloudEvent, version 1.0, in its JSON format.' })

const countFor = z
  .object({
    subscription: z.string(),
    line: z.string(),
    product: z.string(),
    quantity: z.string(),
    unit: z.string(),
    price: z.string(),
    occurred_at: z.string(),
  })
  .openapi({ description: 'Of a dry run: what the event would count for.' })

export type CountsFor = z.infer<typeof countFor>

/** What became of one event. */
export const usageEventResultSchema = z
  .object({ result: z.enum(['stored', 'duplicate', 'not stored']), counts_for: countFor.optional() })
  .openapi('UsageEventResult')

const refusalSchema = z
  .object({
    index: z.number().int().openapi({ description: 'Place in what was sent, from 0.' }),
    code: z.string(),
    detail: z.string(),
    pointer: z.string().nullable(),
  })
  .openapi('UsageEventRefusal')

export const usageBatchResultSchema = z
  .object({
    stored: z.number().int(),
    duplicates: z.number().int(),
    refused: z.array(refusalSchema),
    counts_for: z.array(countFor.nullable()).optional(),
  })
  .openapi('UsageBatchResult')

/** One line of the answer to a stream. */
export const usageStreamLineSchema = z
  .union([
    usageBatchResultSchema.extend({
      through: z.number().int().openapi({
        description: 'So many lines are answered for, and those of them that were not refused are on disk.',
      }),
    }),
    z.object({
      is_complete: z.literal(true),
      through: z.number().int(),
      stored: z.number().int(),
      duplicates: z.number().int(),
      refused: z.number().int(),
    }),
    z.object({ through: z.number().int(), problem: problemSchema }),
  ])
  .openapi('UsageStreamLine')

type Parts = z.infer<typeof usageStreamLineSchema>
/** As it is written: a problem is one of ours. */
export type UsageStreamLine = Exclude<Parts, { problem: unknown }> | { through: number; problem: Problem }
