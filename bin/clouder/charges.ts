import type { Command } from 'commander'
import type { InvoiceDetail, OneOffCharge } from './answers.ts'
import { moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

interface AddOptions {
  readonly customer: string
  readonly description?: string
  readonly price?: string
  readonly quantity: string
  readonly unit?: string
  readonly product?: string
  readonly subscription?: string
  readonly reference?: string
  readonly on?: string
  readonly clock?: string
  readonly text?: true
}

export function registerCharges(program: Command): void {
  const group = program
    .command('charges')
    .alias('charge')
    .summary('charge customers once: list, add, withdraw, bill')
    .description('One-off charges wait for the customer’s next invoice, which gathers them.')
    .addHelpText(
      'before',
      `Examples
  npx clouder charges add --customer harbour-bakery --description 'Data import' --price 120
  npx clouder charges add --customer harbour-bakery --text --description 'Thank you for your patience in May.'
  npx clouder charges --customer harbour-bakery --waiting
  npx clouder charges bill harbour-bakery
`,
    )
  addList(group)
  addNew(group)
  group
    .command('withdraw <charge>')
    .description('take back a charge that no invoice holds')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const address = `/v1/one-off-charges/${encodeURIComponent(id)}/withdraw`
        showOne(out, await api.post<OneOffCharge>(address, {}))
      }),
    )
  group
    .command('bill <customer>')
    .description('bill what waits now, on an invoice of its own')
    .option('--clock <clock>', 'what waits on this test clock')
    .action(
      withSession<[string], { clock?: string }>(async ({ api, out }, { args: [customer], options }) => {
        const body = { customer, test_clock: options.clock }
        const invoice = await api.post<InvoiceDetail>('/v1/invoices', body)
        if (out.isJson) return out.json(invoice)
        out.facts([
          ['invoice', invoice.id],
          ['number', invoice.number],
          ['total', moneyText(invoice.total)],
          ['open', moneyText(invoice.open)],
        ])
      }),
    )
}

function addList(group: Command): void {
  group
    .command('ls')
    .description('list charges, newest first (what the word alone does)')
    .option('--customer <customer>', 'only those of this customer: code or id')
    .option('--waiting', 'only those that no invoice holds yet')
    .addOption(limitOption())
    .action(
      withSession<[], { customer?: string; waiting?: true; limit: number }>(async (session, { options }) => {
        const { customer, waiting, limit } = options
        const query = { customer, state: waiting && 'waiting' }
        const found = await session.api.list<OneOffCharge>('/v1/one-off-charges', query, limit)
        if (session.out.isJson) return session.out.json(found.rows)
        showAll(session.out, found.rows)
        tellMore(session.out, found, 'npx clouder charges add --help')
      }),
    )
}

function addNew(group: Command): void {
  group
    .command('add')
    .description('charge a customer once, with the next invoice')
    .requiredOption('--customer <customer>', 'code or id')
    .option('--description <text>', 'as it is printed; left out, the product’s name')
    .option('--price <amount>', 'of one, such as 12.50; left out, the product’s')
    .option('--quantity <quantity>', 'how many', '1')
    .option('--unit <unit>', 'such as hour; left out, the product’s, or piece')
    .option('--text', 'a text alone: the description is printed, nothing is charged')
    .option('--product <product>', 'what it is: code or id')
    .option('--subscription <subscription>', 'on whose next invoice it goes')
    .option('--reference <text>', 'an order number of the customer, printed with it')
    .option('--on <date>', 'from which day on an invoice takes it; left out, today')
    .option('--clock <clock>', 'for invoices on this test clock')
    .action(
      withSession<[], AddOptions>(async (session, { options }) => {
        const address = `/v1/customers/${encodeURIComponent(options.customer)}/one-off-charges`
        const body = {
          description: options.description,
          text: options.text,
          unit_price: options.price,
          quantity: options.quantity,
          unit: options.unit,
          product: options.product,
          subscription: options.subscription,
          reference: options.reference,
          charged_on: options.on,
          test_clock: options.clock,
        }
        showOne(session.out, await session.api.post<OneOffCharge>(address, body))
      }),
    )
}

function showOne(out: Output, row: OneOffCharge): void {
  if (out.isJson) return out.json(row)
  showAll(out, [row])
}

function showAll(out: Output, rows: readonly OneOffCharge[]): void {
  out.table(
    ['id', 'state', 'description', 'quantity', 'price', 'reference', 'from', 'invoice'],
    rows.map((row) => [
      row.id,
      row.state,
      row.description,
      row.text ? null : `${row.quantity} ${row.unit}`,
      row.text ? 'text alone' : row.price_sentence,
      row.reference,
      row.charged_on,
      row.invoice,
    ]),
  )
}
