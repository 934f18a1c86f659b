import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { writeOnce } from '#db/content-hash.ts'
import { receiveSupplierInvoices } from '#db/supplier-invoice.ts'
import type { PeersTable } from '#db/tables/peer.ts'
import type { SupplierDocument } from '#domain/supplier-invoice.ts'

const at = '2026-03-01T00:00:00Z'

/** A customer that can be paired with. @returns its id */
export async function insertReseller(db: Db): Promise<string> {
  const id = newId()
  await db
    .insertInto('customers')
    .values({ id, code: `c-${id.slice(-8)}`, name: 'Reseller', currency: 'USD', time_zone: 'UTC' })
    .execute()
  return id
}

/** A supplier that is paired with, row by row, with what is to be different. */
export async function insertPeer(db: Db, different: Partial<Record<keyof PeersTable, unknown>> = {}) {
  const id = newId()
  const row = {
    id,
    role: 'supplier',
    customer_id: null,
    currency: 'USD',
    installation_id: newId(),
    other_peer_id: newId(),
    name: 'Upstream',
    url: 'https://upstream.example.com',
    state: 'active',
    created_at: at,
    created_by: 'tester',
    paired_at: at,
    ...different,
  }
  await db
    .insertInto('peers')
    .values(row as never)
    .execute()
  return id
}

/** One line of 10.00 at 20 percent. */
export function supplierDocument(different: Partial<SupplierDocument> = {}): SupplierDocument {
  return {
    document: 'inv_01kb0000000000000000000001',
    kind: 'invoice',
    number: 'UP-1',
    corrects: null,
    currency: 'USD',
    issued_on: '2026-03-01',
    due_on: '2026-03-15',
    instalments: null,
    net_minor: 1_000,
    tax_minor: 200,
    total_minor: 1_200,
    are_prices_inclusive: false,
    tax_rounding: 'document',
    purchase_order_reference: null,
    seller: { name: 'Upstream' },
    buyer: { name: 'Downstream' },
    lines: [
      {
        description: 'Hosting',
        quantity: '1',
        unit: 'month',
        unit_price: '10.00',
        service_period: { starts_on: '2026-03-01', ends_on: '2026-04-01' },
        amount_minor: 1_000,
        tax_category: 'standard',
        tax_rate_percent: '20',
        tax_minor: 200,
      },
    ],
    taxes: [
      {
        category: 'standard',
        name: 'VAT',
        rate_percent: '20',
        base_minor: 1_000,
        tax_minor: 200,
        note: null,
      },
    ],
    ...different,
  }
}

/** Takes a document as a message of its supplier brings it. */
export async function receiveDocument(db: Db, peerId: string, document: SupplierDocument, now: string = at) {
  const received = { document, ...writeOnce(document) }
  const [reception] = await db
    .transaction()
    .execute(async (tx) => await receiveSupplierInvoices(tx, { peerId, currency: 'USD', now }, [received]))
  return reception
}
