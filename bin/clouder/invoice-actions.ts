import type { Command } from 'commander'
import { parseAmount } from '#domain/money.ts'
import type { InvoiceDetail, SelfCheck } from './answers.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { usageFailure } from './failure.ts'
import { moneyText } from './format.ts'
import { withSession, type Session } from './session.ts'

interface CreditOptions {
  readonly amount?: string
  readonly line?: string
  readonly quantity?: string
  readonly reason?: string
}

/** What is done with invoices after they were made. */
export function addInvoiceActions(group: Command): void {
  addCorrections(group)
  addMoney(group)
  group
    .command('finalize <invoice>')
    .description('finalize a draft now instead of on its day')
    .action(withSession<[string]>(async (session, { args: [id] }) => ask(session, id, 'finalize', {})))
  group
    .command('check')
    .description('compute the hash of every finalized document anew; exit code 1 when one is not what it was')
    .action(withSession(check))
}

function addCorrections(group: Command): void {
  group
    .command('credit <invoice>')
    .description('make a credit note for all that is left, for an amount, or for a part of a line')
    .option('--amount <amount>', 'net of tax, such as 12.50')
    .option('--line <line>', 'only this line, by its id')
    .option('--quantity <quantity>', 'so much of the line’s quantity')
    .option('--reason <text>', 'for the timeline')
    .action(withSession<[string], CreditOptions>(credit))
  group
    .command('void <invoice>')
    .description('annul an invoice by one full credit note; it keeps its number')
    .requiredOption('--reason <text>', 'for the timeline')
    .action(
      withSession<[string], { reason: string }>(async (session, { args: [id], options }) =>
        ask(session, id, 'void', { reason: options.reason }),
      ),
    )
  group
    .command('reissue <invoice>')
    .description('bill anew what a voided invoice billed')
    .action(withSession<[string]>(async (session, { args: [id] }) => ask(session, id, 'reissue', {})))
}

interface PayOptions {
  readonly amount?: string
  readonly on?: string
  readonly reference?: string
}

function addMoney(group: Command): void {
  group
    .command('pay <invoice>')
    .description('record money that came in')
    .option('--amount <amount>', 'such as 12.50; left out, all that is open')
    .option('--on <date>', 'when it came in; left out, today')
    .option('--reference <text>', 'as the bank statement has it')
    .action(
      withSession<[string], PayOptions>(async (session, { args: [id], options }) => {
        const { open } = await read(session, id)
        await ask(session, id, 'payments', {
          amount_minor:
            options.amount === undefined ? open.amount_minor : toMinor(options.amount, open.currency),
          received_on: options.on,
          reference: options.reference,
        })
      }),
    )
  for (const [name, action, description] of [
    ['write-off', 'mark-uncollectible', 'write off what is left to pay'],
    ['collect', 'mark-collectible', 'take a write-off back'],
  ] as const) {
    group
      .command(`${name} <invoice>`)
      .description(description)
      .requiredOption('--reason <text>', 'for the timeline')
      .action(
        withSession<[string], { reason: string }>(async (session, { args: [id], options }) =>
          ask(session, id, action, { reason: options.reason }),
        ),
      )
  }
}

async function credit(
  session: Session,
  { args: [id], options }: { args: [string]; options: CreditOptions },
): Promise<void> {
  const { amount, line, quantity, reason } = options
  if (quantity !== undefined && line === undefined)
    throw usageFailure('A quantity is that of a line.', 'name it: --line il_…')
  if (line !== undefined && (amount === undefined) === (quantity === undefined))
    throw usageFailure('Say how much of the line.', 'give --amount or --quantity')
  const { total } = await read(session, id)
  const amountMinor = amount === undefined ? undefined : toMinor(amount, total.currency)
  const body =
    line === undefined
      ? { amount_minor: amountMinor, reason }
      : { lines: [{ line, quantity, amount_minor: amountMinor }], reason }
  await ask(session, id, 'credit-notes', body)
}

async function read({ api }: Session, id: string): Promise<InvoiceDetail> {
  return await api.get<InvoiceDetail>(pathOf(id))
}

async function ask({ api, out }: Session, id: string, action: string, body: object): Promise<void> {
  const invoice = await api.post<InvoiceDetail>(`${pathOf(id)}/${action}`, body)
  if (out.isJson) return out.json(invoice)
  out.facts([
    [invoice.kind.replace('_', ' '), invoice.id],
    ['number', invoice.number],
    ['total', moneyText(invoice.total)],
    ['state', invoice.money_state?.replace('_', ' ') ?? invoice.status],
    ['open', moneyText(invoice.open)],
    ...invoice.credit_notes.map(
      (note) => ['credit note', `${note.number}, ${moneyText(note.total)}`] as const,
    ),
  ])
}

function pathOf(id: string): string {
  return `/v1/invoices/${encodeURIComponent(id)}`
}

function toMinor(text: string, currency: string): number {
  try {
    return parseAmount(text, currency)
  } catch {
    throw usageFailure(`${text} is no amount in ${currency}.`, 'write it as it is printed, such as 12.50')
  }
}

async function check({ api, out }: Session): Promise<ExitCode> {
  const found = await api.get<SelfCheck>('/v1/self-check')
  const code = found.broken.length === 0 ? exitCodes.ok : exitCodes.failed
  if (out.isJson) return (out.json(found), code)
  if (found.broken.length === 0) out.say(`  All ${found.documents} finalized documents are as they were.`)
  out.table(
    ['series', 'number', 'fault', 'id'],
    found.broken.map((row) => [row.series, row.number, row.fault.replaceAll('_', ' '), row.invoice]),
  )
  return code
}
