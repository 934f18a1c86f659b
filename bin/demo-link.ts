import { setTimeout as sleep } from 'node:timers/promises'
import { moneyText } from '#bin/clouder/format.ts'
import type { DemoInstallation, Json } from '#bin/demo-installation.ts'
import { hashOf } from '#db/content-hash.ts'
import { readSupplierDocuments } from '#db/supplier-document.ts'
import { decodeId } from '#domain/identifier.ts'

/** One installation bills another: as a customer under this code there, as a peer on both sides. */
export interface DemoLink {
  readonly supplier: DemoInstallation
  readonly customer: DemoInstallation
  /** The customer, as the supplier names it: `peer_…`. */
  readonly peer: string
}

/** The one who bills invites, the other accepts; once both are active, documents go by themselves. */
export async function pair(supplier: DemoInstallation, customer: DemoInstallation): Promise<DemoLink> {
  const { code, name } = customer
  await supplier.call('POST', '/v1/customers', { code, name, currency: 'USD' })
  const invited = await supplier.call('POST', '/v1/peers/invitations', { role: 'customer', customer: code })
  const accepted = await customer.call('POST', '/v1/peers', { invitation: invited['invitation'] })
  const link = { supplier, customer, peer: String(invited['peer']) }
  await untilTrue(`${supplier.code} and ${code} are paired`, async () => {
    const both = await Promise.all([
      supplier.call('GET', `/v1/peers/${link.peer}`),
      customer.call('GET', `/v1/peers/${String(accepted['id'])}`),
    ])
    return both.every(({ state }) => state === 'active')
  })
  return link
}

/** Sells a subscription without a test clock, and waits for its first invoice. */
export async function sell(seller: DemoInstallation, customer: string): Promise<void> {
  const lines = [{ product: 'static-site', quantity: '1' }]
  const order = await seller.call('POST', '/v1/orders', { customer, lines })
  const [subscription] = order['subscriptions'] as Json[]
  const path = `/v1/invoices?subscription=${String(subscription?.['id'])}`
  await untilTrue(`${seller.code} bills ${customer}`, async () => {
    const { data } = await seller.call('GET', path)
    return (data as Json[]).length > 0
  })
}

/** Bills one piece of work now. @returns the invoice, `inv_…` */
export async function billWork(
  seller: DemoInstallation,
  work: { customer: string; description: string; price: string },
): Promise<string> {
  const { customer, description, price } = work
  const path = `/v1/customers/${customer}/one-off-charges`
  await seller.call('POST', path, { description, unit_price: price, quantity: '1', unit: 'piece' })
  return String((await seller.call('POST', '/v1/invoices', { customer }))['id'])
}

export async function readWaiting({ supplier, peer }: DemoLink): Promise<Json> {
  return await supplier.call('GET', `/v1/peers/${peer}`)
}

/** Waits until the other side has all that was ever sent. */
export async function untilNothingWaits(link: DemoLink): Promise<void> {
  await untilTrue(
    `${link.customer.code} has everything`,
    async () => (await readWaiting(link))['waiting'] === 0,
  )
}

/** A document of the one who bills, and what the other side has of it. */
export interface ComparedDocument {
  readonly from: string
  readonly to: string
  readonly kind: string
  readonly number: string
  readonly total: string
  /** Null: it is not there. */
  readonly numberThere: string | null
  readonly stateThere: string | null
  readonly isEqual: boolean
}

/**
 * All that was finalized for the other side, against all that it holds. Hashes are computed anew, of the finalized rows here and of
 * what the API tells over there.
 */
export async function compareDocuments(link: DemoLink): Promise<ComparedDocument[]> {
  const { supplier, customer } = link
  const { data } = await supplier.call('GET', `/v1/invoices?customer=${customer.code}&limit=100`)
  const { data: listed } = await customer.call('GET', '/v1/supplier-invoices?limit=100')
  const held = new Map((listed as Json[]).map((row) => [String(row['document']), row]))
  const invoices = (data as Json[]).toReversed()
  const documents = await readSupplierDocuments(
    supplier.db,
    invoices.map(({ id }) => decodeId('invoice', String(id))),
  )
  return await Promise.all(
    invoices.map(async (invoice) => {
      const id = String(invoice['id'])
      const there = held.get(id)
      const read = there && (await customer.call('GET', `/v1/supplier-invoices/${String(there['id'])}`))
      const document = documents.get(decodeId('invoice', id))
      return {
        from: supplier.code,
        to: customer.code,
        kind: String(invoice['kind']).replace('_', ' '),
        number: String(invoice['number']),
        total: moneyText(invoice['total'] as Parameters<typeof moneyText>[0]),
        numberThere: there === undefined ? null : String(there['number']),
        stateThere: there === undefined ? null : String(there['state']),
        isEqual: read !== undefined && hashOf(document).equals(hashOf(read['content'])),
      }
    }),
  )
}

const patienceMs = 120_000

async function untilTrue(what: string, look: () => Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + patienceMs
  while (!(await look())) {
    if (Date.now() > untilMs) throw new Error(`not within ${patienceMs / 1_000} s: ${what}`)
    await sleep(100)
  }
}
