import type { Command } from 'commander'
import type { LostDocument, Peer } from './answers.ts'
import { usageFailure } from './failure.ts'
import { moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession } from './session.ts'

interface Settlement {
  readonly keep?: true
  readonly dismiss?: true
  readonly reason: string
}

/** What peers have of ours after a restore from an older backup (F58). */
export function addLostDocuments(group: Command): void {
  group
    .command('lost')
    .description('documents of ours that peers have and are not here, after a restore from an older backup')
    .argument('[peer]', 'its id')
    .addOption(limitOption())
    .action(
      withSession<[string | undefined], { limit: number }>(
        async ({ api, out }, { args: [peer], options }) => {
          const found = await api.list<LostDocument>('/v1/lost-documents', { peer }, options.limit)
          if (out.isJson) return out.json(found.rows)
          out.table(
            ['number', 'issued', 'total', 'peer', 'series', 'settled'],
            found.rows.map((row) => [
              row.number,
              row.issued_on,
              moneyText(row.total),
              row.peer,
              row.series,
              row.settlement,
            ]),
          )
          tellMore(out, found, 'None: no peer has what is not here.')
        },
      ),
    )
  group
    .command('settle')
    .description('settle what a peer has of ours and is not here, and go on with it')
    .argument('<peer>', 'its id')
    .option('--keep', 'they are what the peer says, and their numbers are never given again')
    .option('--dismiss', 'they are none of ours')
    .requiredOption('--reason <text>', 'why, in your own words')
    .action(
      withSession<[string], Settlement>(async ({ api, out }, { args: [id], options }) => {
        const { keep, dismiss, reason } = options
        if ((keep === undefined) === (dismiss === undefined))
          throw usageFailure('Say what they are.', 'Give --keep or --dismiss, one of them.')
        const decision = keep === true ? 'keep' : 'dismiss'
        const path = `/v1/peers/${encodeURIComponent(id)}/settle`
        const peer = await api.post<Peer>(path, { decision, reason })
        if (out.isJson) return out.json(peer)
        out.facts([
          ['peer', peer.id],
          ['state', peer.state],
        ])
      }),
    )
}
