import type { Command } from 'commander'
import { limitOption, tellMore } from './list.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

interface Customer {
  readonly id: string
  readonly code: string
  readonly name: string
  readonly email: string | null
  readonly currency: string
  readonly time_zone: string
  readonly country: string | null
  readonly price_list: string | null
}

interface CreateOptions {
  readonly name: string
  readonly email?: string
  readonly address?: string
  readonly country?: string
  readonly currency?: string
  readonly timeZone?: string
  readonly priceList?: string
}

export function registerCustomers(program: Command): void {
  const group = program
    .command('customers')
    .alias('customer')
    .summary('create, list and show customers')
    .description('Customers: who orders and is billed.')
    .addHelpText(
      'before',
      `Examples
  npx clouder customers create harbour-bakery --name 'Harbour Bakery' --country DE
  npx clouder customers show harbour-bakery
`,
    )
  group
    .command('ls')
    .description('list customers, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Customer>('/v1/customers', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['code', 'name', 'country', 'currency', 'price list'],
          found.rows.map((row) => [row.code, row.name, row.country, row.currency, row.price_list]),
        )
        tellMore(out, found, 'npx clouder customers create --help')
      }),
    )
  group
    .command('show <customer>')
    .description('one customer, by code or id')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [address] }) => {
        tell(out, await api.get<Customer>(`/v1/customers/${encodeURIComponent(address)}`))
      }),
    )
  addCreate(group)
  addPortal(group)
}

function addCreate(group: Command): void {
  group
    .command('create <code>')
    .description('create a customer')
    .requiredOption('--name <name>', 'as invoices call it')
    .option('--email <address>', 'where it is reached')
    .option('--address <text>', 'as invoices print it')
    .option('--country <country>', 'two letters, such as DE')
    .option('--currency <currency>', 'in which it is billed; left out, the price list’s or the seller’s')
    .option('--time-zone <zone>', 'such as Europe/Berlin; left out, the seller’s')
    .option('--price-list <list>', 'code or id')
    .action(
      withSession<[string], CreateOptions>(async ({ api, out }, { args: [code], options }) => {
        const { name, email, address, country, currency, timeZone, priceList } = options
        const body = {
          code,
          name,
          email,
          address,
          country,
          currency,
          time_zone: timeZone,
          price_list: priceList,
        }
        tell(out, await api.post<Customer>('/v1/customers', body))
      }),
    )
}

function addPortal(group: Command): void {
  group
    .command('portal-link <customer>')
    .description('make a link that lets somebody into the portal as the customer, once')
    .option('--minutes <minutes>', 'how long it works, up to 1440', '10')
    .action(
      withSession<[string], { minutes: string }>(async ({ api, out }, { args: [address], options }) => {
        const body = { expires_in_minutes: Number(options.minutes) }
        const path = `/v1/customers/${encodeURIComponent(address)}/portal-links`
        const link = await api.post<{ url: string; expires_at: string }>(path, body)
        if (out.isJson) return out.json(link)
        out.facts([
          ['link', link.url],
          ['works until', link.expires_at],
        ])
      }),
    )
  group
    .command('close-portal <customer>')
    .description('end all portal sessions of a customer, and take its links back')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [address] }) => {
        await api.post(`/v1/customers/${encodeURIComponent(address)}/close-portal`, {})
        out.say('Nobody is signed in to the portal any more.')
      }),
    )
}

function tell(out: Output, customer: Customer): void {
  if (out.isJson) return out.json(customer)
  out.facts([
    ['customer', customer.id],
    ['code', customer.code],
    ['name', customer.name],
    ['email', customer.email],
    ['country', customer.country],
    ['currency', customer.currency],
    ['time zone', customer.time_zone],
    ['price list', customer.price_list],
  ])
}
