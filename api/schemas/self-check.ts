import { z } from '@hono/zod-openapi'
import { chainFaults } from '#db/chain-check.ts'

export const selfCheckSchema = z
  .object({
    documents: z.number().int().openapi({ description: 'Finalized documents that were looked at.' }),
    series: z.number().int(),
    broken: z
      .array(
        z.object({
          series: z.string(),
          number: z.string().openapi({ description: 'Empty where nothing of the series is left.' }),
          invoice: z.string().nullable(),
          fault: z.enum(chainFaults),
        }),
      )
      .openapi({ description: 'At most a hundred.' }),
  })
  .openapi('SelfCheck')
