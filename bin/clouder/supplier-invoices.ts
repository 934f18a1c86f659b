import { readFileSync } from 'node:fs'
import { Argument, type Command } from 'commander'
import { parse as parseYaml } from 'yaml'
import { messageOf } from '#domain/errors.ts'
import { invoiceFileKinds, type InvoiceFileKind } from '#domain/invoice-file.ts'
import { parseAmount } from '#domain/money.ts'
import type {
  RecordedFromCsv,
  SupplierInvoice,
  SupplierInvoiceDetail,
  SupplierPaymentDetail,
} from './answers.ts'
import { writeDownload } from './download.ts'
import { usageFailure } from './failure.ts'
import { instantText, moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import type { Output } from './output.ts'
import { addSuppliedUsage } from './peer-proofs.ts'
import { withSession } from './session.ts'

interface ListOptions {
  readonly limit: number
  readonly peer?: string
  readonly supplier?: string
  readonly open?: true
}

export function registerSupplierInvoices(program: Command): void {
  const group = program
    .command('supplier-invoices')
    .alias('supplier-invoice')
    .summary('what suppliers have billed this installation, and what was paid of it')
    .description('What a supplier billed never changes; payments and set-offs are recorded beside it.')
    .addHelpText(
      'before',
      `Examples
  npx clouder supplier-invoices --open
  npx clouder supplier-invoices record invoice.yaml
  npx clouder supplier-invoices import power invoice.xml
  npx clouder supplier-invoices import-csv march.csv --dry-run
  npx clouder supplier-invoices pay sinv_01kb… --amount 12.50
  npx clouder supplier-invoices set-off sinv_01kb… --credit-note sinv_01kc…
  npx clouder supplier-invoices void sinv_01kb… --reason 'misread the total'
`,
    )
  group
    .command('ls')
    .description('list them, newest first (what the word alone does)')
    .option('--peer <peer>', 'that one installation sent')
    .option('--supplier <supplier>', 'of one supplier')
    .option('--open', 'of which something is left to pay or to set off')
    .addOption(limitOption())
    .action(
      withSession<[], ListOptions>(async ({ api, out }, { options }) => {
        const { peer, supplier, open, limit } = options
        const query = { peer, supplier, is_open: open === undefined ? undefined : 'true' }
        const found = await api.list<SupplierInvoice>('/v1/supplier-invoices', query, limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['id', 'number', 'supplier', 'kind', 'issued', 'due', 'total', 'open', 'state', 'supplier says'],
          found.rows.map((row) => [
            row.id,
            row.number,
            row.supplier,
            row.kind,
            row.issued_on,
            row.due_on,
            moneyText(row.total),
            moneyText(row.open),
            row.state,
            row.supplier_says === null
              ? ''
              : `${row.supplier_says.state.replace('_', ' ')}, ${instantText(row.supplier_says.since)}`,
          ]),
        )
        tellMore(out, found, 'None has come. npx clouder peers')
      }),
    )
  group
    .command('show')
    .description('one of them, with what was set against it')
    .argument('<invoice>', 'its id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) =>
        show(out, await api.get<SupplierInvoiceDetail>(addressOf(id))),
      ),
    )
  group
    .command('file')
    .description('write a file of it, as it came, to a file here')
    .argument('<invoice>', 'its id')
    .addArgument(
      new Argument('[kind]', 'what people read, or what machines read')
        .choices(invoiceFileKinds)
        .default('pdf'),
    )
    .option('--output <file>', 'where to; its number in this folder unless given')
    .action(
      withSession<[string, InvoiceFileKind], { output?: string }>(
        async (session, { args: [id, kind], options }) =>
          writeDownload(session, `${addressOf(id)}/files/${kind}`, options),
      ),
    )
  group
    .command('record')
    .description('record what a supplier without an installation has billed, as its file says it')
    .argument('<file>', 'YAML or JSON with the fields of POST /v1/supplier-invoices; - reads standard input')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [file] }) =>
        show(out, await api.post<SupplierInvoiceDetail>('/v1/supplier-invoices', readStated(file))),
      ),
    )
  group
    .command('import')
    .description('record the e-invoice of a supplier without an installation; the file is kept')
    .argument('<supplier>', 'its id or code')
    .argument('<file>', 'UBL 2.1; - reads standard input')
    .action(
      withSession<[string, string]>(async ({ api, out }, { args: [supplier, file] }) => {
        const body = { supplier, ubl: textOf(file) }
        show(out, await api.post<SupplierInvoiceDetail>('/v1/supplier-invoices/import', body))
      }),
    )
  group
    .command('import-csv')
    .description(
      'record documents of suppliers without an installation, a row for each line: all of them or none',
    )
    .argument('<file>', 'CSV, with the names of its columns in the first row; - reads standard input')
    .option('--dry-run', 'check everything and record nothing')
    .action(
      withSession<[string], { dryRun?: true }>(async ({ api, out }, { args: [file], options }) => {
        const body = { csv: textOf(file), dry_run: options.dryRun === true }
        const done = await api.post<RecordedFromCsv>('/v1/supplier-invoices/import-csv', body)
        if (out.isJson) return out.json(done)
        out.say(done.is_dry_run ? `  ${done.count} would be recorded.` : `  ${done.count} recorded.`)
        out.table(
          ['id', 'number', 'supplier', 'total'],
          done.supplier_invoices.map((row) => [row.id, row.number, row.supplier, moneyText(row.total)]),
        )
      }),
    )
  registerMoney(group)
  registerVoid(group)
  addSuppliedUsage(group)
}

interface PayOptions {
  readonly amount?: string
  readonly on?: string
  readonly reference?: string
}

function registerMoney(group: Command): void {
  group
    .command('pay')
    .description('record that it was paid, in full or in part')
    .argument('<invoice>', 'its id')
    .option('--amount <amount>', 'such as 12.50; left out, all that is open')
    .option('--on <date>', 'when it was paid; left out, today')
    .option('--reference <text>', 'as the bank statement has it')
    .action(
      withSession<[string], PayOptions>(async ({ api, out }, { args: [id], options }) => {
        const { open } = await api.get<SupplierInvoiceDetail>(addressOf(id))
        const { amount, on, reference } = options
        const amount_minor = amount === undefined ? open.amount_minor : parseAmount(amount, open.currency)
        const body = { pays: [{ supplier_invoice: id, amount_minor }], paid_on: on, reference }
        const paid = await api.post<SupplierPaymentDetail>('/v1/supplier-payments', body)
        if (out.isJson) return out.json(paid)
        out.say(`  ${moneyText(paid.amount)} paid to ${paid.supplier.name}: ${paid.id}`)
      }),
    )
  group
    .command('set-off')
    .description('set what is left of a credit note off against it')
    .argument('<invoice>', 'its id')
    .requiredOption('--credit-note <id>', 'the credit note of the same supplier')
    .option('--amount <amount>', 'such as 12.50; left out, as far as both reach')
    .action(
      withSession<[string], { creditNote: string; amount?: string }>(
        async ({ api, out }, { args: [id], options }) => {
          const { open } = await api.get<SupplierInvoiceDetail>(addressOf(id))
          const amount_minor =
            options.amount === undefined ? undefined : parseAmount(options.amount, open.currency)
          const body = { credit_note: options.creditNote, amount_minor }
          show(out, await api.post<SupplierInvoiceDetail>(`${addressOf(id)}/set-offs`, body))
        },
      ),
    )
}

function registerVoid(group: Command): void {
  group
    .command('void')
    .description('void what was recorded here and misread; then record it anew')
    .argument('<invoice>', 'its id')
    .requiredOption('--reason <text>', 'why')
    .action(
      withSession<[string], { reason: string }>(async ({ api, out }, { args: [id], options: { reason } }) =>
        show(out, await api.post<SupplierInvoiceDetail>(`${addressOf(id)}/void`, { reason })),
      ),
    )
}

function readStated(file: string): object {
  const stated = parseFile(file)
  if (typeof stated === 'object' && stated !== null && !Array.isArray(stated)) return stated
  throw usageFailure(`${file} holds no document.`, 'such as supplier: hosting, number: R-1, and its lines')
}

function parseFile(file: string): unknown {
  const text = textOf(file)
  try {
    return parseYaml(text)
  } catch (error) {
    throw usageFailure(`${file} cannot be read: ${messageOf(error)}`, 'Nothing was recorded. Mend the file.')
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw usageFailure(`${file} cannot be read: ${messageOf(error)}`, 'Name a file, or - for standard input.')
  }
}

function addressOf(id: string): string {
  return `/v1/supplier-invoices/${encodeURIComponent(id)}`
}

function show(out: Output, row: SupplierInvoiceDetail): void {
  if (out.isJson) return out.json(row)
  out.facts([
    ['number', row.number],
    ['supplier', row.supplier],
    ['state', [row.state, row.disagreement ?? row.voided?.reason].filter(Boolean).join(': ')],
    ['supplier says', row.supplier_says?.state.replace('_', ' ') ?? ''],
    ['issued', row.issued_on],
    ['due', row.dues.map((due) => `${due.due_on} ${moneyText(due.amount)}`).join(', ')],
    ['total', moneyText(row.total)],
    ['open', moneyText(row.open)],
  ])
  out.table(
    ['set against it', 'id', 'on', 'amount', 'taken back'],
    row.set_against.map((one) => [
      one.reference ?? one.kind,
      one.payment ?? one.credit_note,
      one.on,
      moneyText(one.amount),
      one.is_reversed ? 'yes' : '',
    ]),
  )
}
