import type { Command } from 'commander'
import type { PriceRevision } from './answers.ts'
import { withSession, type Session } from './session.ts'

interface ReviseOptions {
  readonly percent?: string
  readonly unitPrice?: string
  readonly from: string
  readonly product?: string
  readonly subscription?: readonly string[]
  readonly apply?: true
}

/** Without --apply it only lists: nobody raises the prices of a whole house by a slip. */
export function registerPriceRevisions(program: Command): void {
  program
    .command('revise-prices')
    .summary('new prices for what is sold')
    .description('Lists what new prices would change from a day on. With --apply they hold.')
    .requiredOption('--from <date>', 'the first day of the new prices')
    .option('--percent <percent>', 'by so many percent, such as 5 or -2.5')
    .option('--unit-price <amount>', 'to a price per unit, of one product')
    .option('--product <product>', 'only of this product')
    .option('--subscription <subscription...>', 'only of these subscriptions')
    .option('--apply', 'save it')
    .addHelpText(
      'before',
      `Examples
  npx clouder revise-prices --percent 5 --from 2027-01-01
  npx clouder revise-prices --percent 5 --from 2027-01-01 --product odoo-user --apply
`,
    )
    .action(
      withSession<[], ReviseOptions>(async (session, { options }) => {
        const { percent, unitPrice, from, product, subscription, apply } = options
        const body = {
          starts_on: from,
          percent,
          price: unitPrice === undefined ? undefined : { model: 'per_unit', unit_amount: unitPrice },
          product,
          subscriptions: subscription,
        }
        const query = apply ? '' : '?dry_run=1'
        tell(session, await session.api.post<PriceRevision>(`/v1/price-revisions${query}`, body))
      }),
    )
}

function tell({ out }: Session, revision: PriceRevision): void {
  if (out.isJson) return out.json(revision)
  out.table(
    ['subscription', 'line', 'quantity', 'until now', 'new', 'from'],
    revision.revised.map((line) => [
      line.subscription,
      line.description,
      line.quantity,
      line.old_price_sentence,
      line.new_price_sentence,
      line.starts_on,
    ]),
  )
  for (const { line, reason } of revision.passed_by) out.say(`  ${line} is passed by: ${reason}.`)
  const lines = `${revision.revised_count} ${revision.revised_count === 1 ? 'line' : 'lines'}`
  const count = `${lines}, ${revision.passed_by_count} passed by.`
  out.say(`\n  ${count} ${revision.is_dry_run ? 'Nothing was saved; --apply saves it.' : 'Saved.'}`)
}
