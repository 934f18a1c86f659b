import type { Db } from '#db/database.ts'
import { getCustomer } from '#db/read/customer.ts'
import { listInvoices } from '#db/read/invoice.ts'
import { listCustomerBalances, listOneOffCharges } from '#db/read/one-off-charge.ts'
import { findCustomerPeer } from '#db/read/peer.ts'
import { listPortalSessions } from '#db/read/portal-session.ts'
import { listProducts } from '#db/read/product.ts'
import { listSubscriptions } from '#db/read/subscription.ts'
import { readSellerToday } from '#db/seller.ts'
import { listTaxIdChecks } from '#db/read/tax-id-check.ts'
import { resolveAddress } from '../addressing.ts'

const shownRows = 12
const offeredProducts = 200

export type CustomerContent = Awaited<ReturnType<typeof readCustomerContent>>

/** All that the page of a customer shows. @param address its id or code @throws `not_found`, `id_kind_mismatch` */
export async function readCustomerContent(db: Db, address: string, now: string) {
  const customerId = await resolveAddress(db, 'customer', address)
  const newest = { limit: shownRows, cursor: null, direction: 'after' } as const
  const anySubscription = { phase: null, productId: null, kitId: null, isParked: null }
  const [row, balances, subscriptions, invoices, charges, checks, products, portalSessions, peer] =
    await Promise.all([
      getCustomer(db, customerId),
      listCustomerBalances(db, customerId),
      listSubscriptions(db, { ...newest, ...anySubscription, customerId }),
      listInvoices(db, { ...newest, customerId }),
      listOneOffCharges(db, { ...newest, customerId, isWaiting: false }),
      listTaxIdChecks(db, { ...newest, limit: 1, customerId }),
      listProducts(db, { ...newest, limit: offeredProducts }, await readSellerToday(db, now)),
      listPortalSessions(db, { ...newest, customerId }),
      findCustomerPeer(db, customerId),
    ])
  return {
    row,
    /** What was said of the tax id last, by a register. */
    taxIdCheck: checks.find(({ tax_id: taxId }) => taxId === row.tax_id) ?? null,
    balances: balances.filter(({ amount_minor: amountMinor }) => amountMinor !== 0),
    subscriptions: cut(subscriptions),
    invoices: cut(invoices),
    charges: cut(charges),
    portalSessions,
    peer,
    products: products.filter(({ archived_at: archivedAt }) => archivedAt === null),
  }
}

interface Newest<Row> {
  readonly rows: readonly Row[]
  /** There are older ones than these. */
  readonly isCut: boolean
}

function cut<Row>(rows: readonly Row[]): Newest<Row> {
  return { rows: rows.slice(0, shownRows), isCut: rows.length > shownRows }
}
