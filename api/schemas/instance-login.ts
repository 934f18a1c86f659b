import { z } from '@hono/zod-openapi'

export const instanceLoginLinkSchema = z
  .object({
    url: z.string().openapi({ description: 'Shown once, works once.' }),
    expires_at: z.string(),
  })
  .openapi('InstanceLoginLink')
