import type { Command } from 'commander'
import { parseAmount } from '#domain/money.ts'
import type { ExpectedOfSuppliers, SupplierDetail, SupplierSubscription } from './answers.ts'
import { moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

const address = '/v1/supplier-subscriptions'

export function registerSupplierSubscriptions(program: Command): void {
  const group = program
    .command('supplier-subscriptions')
    .alias('supplier-subscription')
    .summary('what suppliers bill every month, and whether it has come')
    .description('Of each month an invoice is expected; one that is missing after its grace is a task.')
    .addHelpText(
      'before',
      `Examples
  npx clouder supplier-subscriptions add hosting "rack 7" --from 2026-03-01 --amount 120.00
  npx clouder supplier-subscriptions expected 2026-03
  npx clouder supplier-subscriptions end ssub_01kb… --on 2027-01-01
`,
    )
  group
    .command('ls')
    .description('list them, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<SupplierSubscription>(address, {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        tableOf(out, found.rows)
        tellMore(out, found, 'None. npx clouder supplier-subscriptions add --help')
      }),
    )
  group
    .command('expected')
    .description('what is expected in a month, and what of it was received')
    .argument('<month>', 'such as 2026-03')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [month] }) => {
        const expected = await api.get<ExpectedOfSuppliers>('/v1/expected-supplier-invoices', { month })
        if (out.isJson) return out.json(expected)
        const rows = expected.suppliers.flatMap(({ supplier, expectations }) =>
          expectations.map((one) => [
            supplier.name,
            one.name,
            one.expected_on,
            one.amount === null ? '' : moneyText(one.amount),
            one.received === null ? '' : moneyText(one.received),
            one.number ?? one.state,
          ]),
        )
        out.table(['supplier', 'what', 'on', 'expected', 'received', 'invoice'], rows)
      }),
    )
  registerWriting(group)
}

interface AddOptions {
  readonly from: string
  readonly until?: string
  readonly amount?: string
  readonly line?: string
  readonly grace?: string
}

function registerWriting(group: Command): void {
  group
    .command('add')
    .description('expect an invoice of a supplier every month')
    .argument('<supplier>', 'its id or code')
    .argument('<name>', 'what is had of it')
    .requiredOption('--from <date>', 'the first day; the day of every month')
    .option('--until <date>', 'from this day on nothing is expected')
    .option('--amount <amount>', 'about what a month comes to, net')
    .option('--line <text>', 'the very text by which the supplier names its line')
    .option('--grace <days>', 'for so many days it is waited for; 7 unless given')
    .action(
      withSession<[string, string], AddOptions>(async ({ api, out }, { args: [supplier, name], options }) => {
        const { from, until, amount, line, grace } = options
        const { currency } = await api.get<SupplierDetail>(`/v1/suppliers/${encodeURIComponent(supplier)}`)
        const made = await api.post<SupplierSubscription>(address, {
          supplier,
          name,
          begins_on: from,
          ends_on: until,
          amount_minor: amount === undefined ? undefined : parseAmount(amount, currency),
          line_text: line,
          grace_days: grace === undefined ? undefined : Number(grace),
        })
        if (out.isJson) return out.json(made)
        tableOf(out, [made])
      }),
    )
  group
    .command('end')
    .description('say from when on nothing is expected of it')
    .argument('<subscription>', 'its id')
    .option('--on <date>', 'left out: it goes on')
    .action(
      withSession<[string], { on?: string }>(async ({ api, out }, { args: [id], options }) => {
        const body = { ends_on: options.on ?? null }
        const changed = await api.patch<SupplierSubscription>(`${address}/${encodeURIComponent(id)}`, body)
        if (out.isJson) return out.json(changed)
        tableOf(out, [changed])
      }),
    )
}

function tableOf(out: Output, rows: readonly SupplierSubscription[]): void {
  out.table(
    ['id', 'supplier', 'what', 'about', 'from', 'until', 'grace'],
    rows.map((row) => [
      row.id,
      row.supplier.name,
      row.name,
      row.amount === null ? '' : moneyText(row.amount),
      row.begins_on,
      row.ends_on ?? '',
      `${row.grace_days} days`,
    ]),
  )
}
