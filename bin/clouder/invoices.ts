import { Option, type Command } from 'commander'
import { formatCount } from '#api/pages/format.ts'
import { moneyStates } from '#domain/invoice/balance.ts'
import type { Invoice, InvoiceDetail } from './answers.ts'
import { writeDownload } from './download.ts'
import { moneyText } from './format.ts'
import { addInvoiceActions } from './invoice-actions.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession, type Session } from './session.ts'

interface ListOptions {
  readonly limit: number
  readonly customer?: string
  readonly subscription?: string
  readonly state?: string
}

export function registerInvoices(program: Command): void {
  const group = program
    .command('invoices')
    .alias('invoice')
    .summary('list, show, print, credit, void and settle invoices')
    .description('Invoices and credit notes; what is finalized never changes.')
    .addHelpText(
      'before',
      `Examples
  npx clouder invoices --subscription sub_…
  npx clouder invoices show inv_…
  npx clouder invoices pdf inv_…
  npx clouder invoices --state overdue
  npx clouder invoices pay inv_… --amount 12.50
  npx clouder invoices void inv_… --reason 'wrong address'
`,
    )
  group
    .command('ls')
    .description('list invoices, newest first (what the word alone does)')
    .option('--customer <customer>', 'only those of this customer: code or id')
    .option('--subscription <subscription>', 'only those with a line of this subscription')
    .addOption(new Option('--state <state>', 'only those that stand so').choices(['draft', ...moneyStates]))
    .addOption(limitOption())
    .action(withSession<[], ListOptions>(async (session, { options }) => list(session, options)))
  group
    .command('show <invoice>')
    .description('one invoice with its lines')
    .action(
      withSession<[string]>(async (session, { args: [id] }) => {
        const { api, out } = session
        const invoice = await api.get<InvoiceDetail>(`/v1/invoices/${encodeURIComponent(id)}`)
        return out.isJson ? out.json(invoice) : show(session, invoice)
      }),
    )
  for (const [kind, what] of [
    ['pdf', 'the PDF'],
    ['ubl', 'the e-invoice (UBL 2.1)'],
  ] as const)
    group
      .command(`${kind} <invoice>`)
      .description(`write ${what} of an invoice or credit note to a file`)
      .option('--output <file>', 'where to; its number in this folder unless given')
      .action(
        withSession<[string], { output?: string }>(async (session, { args: [id], options }) =>
          writeDownload(session, `/v1/invoices/${encodeURIComponent(id)}/${kind}`, options),
        ),
      )
  addInvoiceActions(group)
}

async function list({ api, out }: Session, options: ListOptions): Promise<void> {
  const { customer, subscription, state, limit } = options
  const standing = state === 'draft' ? { status: state } : { money_state: state }
  const found = await api.list<Invoice>('/v1/invoices', { customer, subscription, ...standing }, limit)
  if (out.isJson) return out.json(found.rows)
  out.table(
    ['id', 'kind', 'number', 'customer', 'issued', 'due', 'state', 'total'],
    found.rows.map((row) => [
      row.id,
      row.kind.replace('_', ' '),
      row.number,
      row.customer.code,
      row.issued_on,
      row.kind === 'credit_note' ? null : row.due_on,
      stateText(row),
      row.kind === 'credit_note' ? `-${moneyText(row.total)}` : moneyText(row.total),
    ]),
  )
  tellMore(out, found, 'Invoices come by themselves; on a test clock: npx clouder clock advance 1mo')
}

function stateText(row: Invoice): string | null {
  if (row.status === 'draft') return 'draft'
  const words = row.money_state?.replace('_', ' ') ?? null
  return row.is_disputed ? `${words ?? row.status}, disputed` : words
}

function show({ out }: Session, invoice: InvoiceDetail): void {
  out.facts([
    [invoice.kind.replace('_', ' '), invoice.id],
    ['number', invoice.number],
    ['customer', `${invoice.customer.name} (${invoice.customer.code})`],
    ['issued', invoice.issued_on],
    ['due', invoice.kind === 'credit_note' ? null : invoice.due_on],
    ['state', stateText(invoice)],
  ])
  out.print('')
  out.table(
    ['description', 'quantity', 'unit price', 'service period', 'amount'],
    invoice.lines.map((line) => [
      line.description,
      line.text ? null : formatCount(line.quantity, line.unit),
      line.unit_price,
      line.service_period === null ? null : `${line.service_period.start} to ${line.service_period.end}`,
      line.text ? null : moneyText(line.amount),
    ]),
  )
  out.print('')
  out.facts([
    ['net', moneyText(invoice.net)],
    ['tax', moneyText(invoice.tax)],
    ...sayStatedTax(invoice),
    ['total', moneyText(invoice.total)],
    ...invoice.allocations.map(
      ({ kind, amount }) => [kind.replace('_', ' '), `-${moneyText(amount)}`] as const,
    ),
    ['open', moneyText(invoice.open)],
  ])
}

function sayStatedTax({ tax_in_seller_currency: stated }: InvoiceDetail): (readonly [string, string])[] {
  if (stated === null) return []
  const { tax, base, quote, rate, source, valid_on: day } = stated
  return [['tax, also', `${moneyText(tax)} (1 ${base} = ${rate} ${quote}, ${source}, ${day})`]]
}
