import { z } from '@hono/zod-openapi'
import type { UsageWarningRow } from '#db/read/usage-warning.ts'
import { encodeId } from '#domain/identifier.ts'

export const usageWarningSchema = z
  .object({
    id: z.string(),
    subscription: z.string(),
    kind: z.enum(['limit', 'spend']),
    subject: z.string().openapi({ description: 'The code of the limit, or who set the cap.' }),
    threshold: z.string().openapi({ example: '80 %' }),
    period_starts_on: z.string(),
    used: z.string(),
    ceiling: z.string(),
    unit: z.string(),
    warned_at: z.string(),
  })
  .openapi('UsageWarning')

export function toUsageWarningJson(row: UsageWarningRow): z.input<typeof usageWarningSchema> {
  const { kind, subject, threshold, period_starts_on, used, ceiling, unit, warned_at } = row
  return {
    id: encodeId('usageWarning', row.id),
    subscription: encodeId('subscription', row.subscription_id),
    kind,
    subject,
    threshold,
    period_starts_on,
    used,
    ceiling,
    unit,
    warned_at,
  }
}
