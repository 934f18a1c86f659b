import type { Command } from 'commander'
import type { Backup, Order } from './answers.ts'
import { addDownload } from './backup-download.ts'
import { instantText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { usageFailure } from './failure.ts'
import { withSession, type Session } from './session.ts'
import { ask } from './subscription-changes.ts'

export function registerBackups(program: Command): void {
  const group = program
    .command('backups')
    .alias('backup')
    .summary('list and restore what instances held')
    .description('Before an instance is removed, its volumes are saved, read back, and kept for a time.')
  group
    .command('ls')
    .description('list backups, newest first (what the word alone does)')
    .option('--subscription <subscription>', 'only those of this subscription')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number; subscription?: string }>(
        async ({ api, out }, { options: { limit, subscription } }) => {
          const found = await api.list<Backup>('/v1/backups', { subscription }, limit)
          if (out.isJson) return out.json(found.rows)
          out.table(
            ['id', 'instance', 'state', 'volumes', 'bytes', 'kept until'],
            found.rows.map((row) => [
              row.id,
              row.instance_name,
              row.state,
              row.volumes.map(({ volume }) => volume).join(', '),
              String(row.bytes),
              row.expires_at === null ? null : instantText(row.expires_at),
            ]),
          )
          tellMore(out, found, 'The first is taken when a subscription with volumes ends.')
        },
      ),
    )
  group
    .command('restore <backup>')
    .description('order a product whose application begins with the backup, or put it in place')
    .option('--customer <customer>', 'whose backup it is')
    .option('--product <product>', 'what builds its application')
    .option('--into <subscription>', 'in place of what its instance holds, which is saved before')
    .action(withSession<[string], RestoreOptions>(restore))
  addDownload(group)
}

interface RestoreOptions {
  readonly customer?: string
  readonly product?: string
  readonly into?: string
}

async function restore(
  session: Session,
  { args: [backup], options: { into, customer, product } }: { args: [string]; options: RestoreOptions },
): Promise<void> {
  const { api, out } = session
  if (into !== undefined) {
    if (customer !== undefined || product !== undefined)
      throw usageFailure('With --into nothing is ordered.', 'Leave --customer and --product out.')
    return await ask(session, into, 'restore', { backup }, `npx clouder subscriptions show ${into}`)
  }
  if (customer === undefined || product === undefined)
    throw usageFailure(
      'It is not said where the backup goes.',
      'Say --customer and --product to order it, or --into a subscription.',
    )
  const body = { customer, lines: [{ product }], channel: 'command_line', restore_from: backup }
  const order = await api.post<Order>('/v1/orders', body)
  if (out.isJson) return out.json(order)
  out.table(
    ['order', 'subscription', 'title'],
    order.subscriptions.map(({ id, title }) => [order.id, id, title]),
  )
}
