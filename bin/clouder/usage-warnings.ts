import type { Command } from 'commander'
import type { UsageWarning } from './answers.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession } from './session.ts'

/** That much of a limit is used, or of what usage may cost: told once a share and billing period. */
export function addWarnings(group: Command): void {
  group
    .command('warnings')
    .description('list what was warned of: shares of limits, and of what usage may cost')
    .option('--subscription <subscription>', 'only those of this subscription')
    .addOption(limitOption())
    .action(
      withSession<[], { subscription?: string; limit: number }>(async ({ api, out }, { options }) => {
        const { subscription, limit } = options
        const found = await api.list<UsageWarning>('/v1/usage-warnings', { subscription }, limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['warned', 'subscription', 'of', 'at', 'used', 'period from'],
          found.rows.map((row) => [
            instantText(row.warned_at),
            row.subscription,
            row.kind === 'limit' ? `limit ${row.subject}` : `cap of the ${row.subject}`,
            row.threshold,
            `${row.used} of ${row.ceiling} ${row.unit}`,
            row.period_starts_on,
          ]),
        )
        tellMore(out, found, 'No share at which one is warned was reached.')
      }),
    )
}
