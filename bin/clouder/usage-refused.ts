import type { Command } from 'commander'
import type { RefusedUsageEvent, SentAgain } from './answers.ts'
import { exitCodes } from './exit-code.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession, type Session } from './session.ts'

interface ListOptions {
  readonly code?: string
  readonly limit: number
}

const path = '/v1/refused-usage-events'

export function registerRefusedUsage(group: Command): void {
  group
    .command('refused')
    .description('list the usage events that were refused: not billed, and why')
    .option('--code <code>', 'only those that were refused as this')
    .addOption(limitOption())
    .action(
      withSession<[], ListOptions>(async ({ api, out }, { options }) => {
        const found = await api.list<RefusedUsageEvent>(path, { code: options.code }, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['refused', 'id', 'event', 'why'],
          found.rows.map((row) => [
            instantText(row.refused_at),
            row.id,
            row.event_id === null ? 'without an id' : `${row.source} ${row.event_id}`,
            `${row.code}: ${row.detail}`,
          ]),
        )
        tellMore(out, found, 'Every usage event counts.')
      }),
    )
  group
    .command('send-again')
    .description('send refused usage events again, once the cause is gone')
    .option('--code <code>', 'only those that were refused as this')
    .action(
      withSession<[], { code?: string }>(async ({ api, out }, { options }) => {
        const sent = await sendAll(api, options.code)
        if (out.isJson) out.json(sent)
        else
          out.facts([
            ['stored', sent.stored],
            ['duplicates', sent.duplicates],
            ['refused', sent.refused],
          ])
        return sent.refused > 0 ? exitCodes.warnings : exitCodes.ok
      }),
    )
}

/** A thousand at a time, each once: what is refused again is not sent again in the same round. */
async function sendAll(api: Pick<Session['api'], 'post'>, code: string | undefined): Promise<SentAgain> {
  let all = await api.post<SentAgain>(`${path}/send-again`, { code })
  while (all.has_more) {
    const { stored, duplicates, refused } = all
    const next = await api.post<SentAgain>(`${path}/send-again`, { code, tried_before: all.tried_before })
    all = {
      ...next,
      stored: stored + next.stored,
      duplicates: duplicates + next.duplicates,
      refused: refused + next.refused,
    }
  }
  return all
}
