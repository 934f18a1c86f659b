import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { formatCount } from '#api/pages/format.ts'
import type { Invoice, InvoiceDetail } from './answers.ts'
import { usageFailure } from './failure.ts'
import { moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { withSession, type Session } from './session.ts'

interface ListOptions {
  readonly limit: number
  readonly customer?: string
  readonly subscription?: string
}

export function registerInvoices(program: Command): void {
  const group = program
    .command('invoices')
    .alias('invoice')
    .summary('list, show and print invoices')
    .description('Invoices and credit notes; what is finalized never changes.')
    .addHelpText(
      'before',
      `Examples
  npx clouder invoices --subscription sub_…
  npx clouder invoices show inv_…
  npx clouder invoices pdf inv_…
`,
    )
  group
    .command('ls')
    .description('list invoices, newest first (what the word alone does)')
    .option('--customer <customer>', 'only those of this customer: code or id')
    .option('--subscription <subscription>', 'only those with a line of this subscription')
    .addOption(limitOption())
    .action(withSession<[], ListOptions>(async (session, { options }) => list(session, options)))
  group
    .command('show <invoice>')
    .description('one invoice with its lines')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const invoice = await api.get<InvoiceDetail>(`/v1/invoices/${encodeURIComponent(id)}`)
        return out.isJson ? out.json(invoice) : show({ api, out }, invoice)
      }),
    )
  group
    .command('pdf <invoice>')
    .description('write the PDF of an invoice or credit note to a file')
    .option('--output <file>', 'where to; its number in this folder unless given')
    .action(withSession<[string], { output?: string }>(writePdf))
}

async function writePdf(
  { api, out }: Session,
  { args: [id], options }: { args: [string]; options: { output?: string } },
): Promise<void> {
  const { name, content } = await api.download(`/v1/invoices/${encodeURIComponent(id)}/pdf`)
  const file = path.resolve(options.output ?? name)
  await writeFile(file, content).catch((error: unknown) => {
    throw usageFailure(
      `${file} could not be written (${error instanceof Error ? error.message : String(error)}).`,
      'name a file in a folder of yours: --output …',
    )
  })
  if (out.isJson) return out.json({ file })
  out.print(file)
}

async function list({ api, out }: Session, options: ListOptions): Promise<void> {
  const { customer, subscription, limit } = options
  const found = await api.list<Invoice>('/v1/invoices', { customer, subscription }, limit)
  if (out.isJson) return out.json(found.rows)
  out.table(
    ['id', 'kind', 'number', 'customer', 'issued', 'due', 'total'],
    found.rows.map((row) => [
      row.id,
      row.kind.replace('_', ' '),
      row.number,
      row.customer.code,
      row.issued_on,
      row.kind === 'credit_note' ? null : row.due_on,
      row.kind === 'credit_note' ? `-${moneyText(row.total)}` : moneyText(row.total),
    ]),
  )
  tellMore(out, found, 'Invoices come by themselves; on a test clock: npx clouder clock advance 1mo')
}

function show({ out }: Session, invoice: InvoiceDetail): void {
  out.facts([
    [invoice.kind.replace('_', ' '), invoice.id],
    ['number', invoice.number],
    ['customer', `${invoice.customer.name} (${invoice.customer.code})`],
    ['issued', invoice.issued_on],
    ['due', invoice.kind === 'credit_note' ? null : invoice.due_on],
  ])
  out.print('')
  out.table(
    ['description', 'quantity', 'unit price', 'service period', 'amount'],
    invoice.lines.map((line) => [
      line.description,
      formatCount(line.quantity, line.unit),
      line.unit_price,
      line.service_period === null ? null : `${line.service_period.start} to ${line.service_period.end}`,
      moneyText(line.amount),
    ]),
  )
  out.print('')
  out.facts([
    ['net', moneyText(invoice.net)],
    ['tax', moneyText(invoice.tax)],
    ['total', moneyText(invoice.total)],
  ])
}
