import { z } from '@hono/zod-openapi'

/** RFC 9457, with what a program and a person need besides. */
export const problemSchema = z
  .object({
    type: z.string().openapi({ description: 'Address of a page about the code.' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().openapi({ description: 'Stable; programs decide by it.' }),
    request_id: z.string(),
    errors: z.array(
      z.object({
        pointer: z
          .string()
          .openapi({ description: 'JSON pointer into the body; ?name is a part of the query.' }),
        code: z.string(),
        detail: z.string(),
      }),
    ),
    next_actions: z.array(z.object({ title: z.string(), href: z.string() })),
  })
  .openapi('Problem')

export const idempotencyHeader = z.object({
  'Idempotency-Key': z.string().min(1).max(255).openapi({
    description:
      'Fresh for each request, the same when it is sent again: the first answer is given again and nothing happens twice.',
  }),
})
