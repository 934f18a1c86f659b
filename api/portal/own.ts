import type { Db } from '#db/database.ts'
import type { InvoiceFile } from '#db/invoice-file.ts'
import { listBuildsOf, listBuildSteps } from '#db/read/build.ts'
import { getCustomer } from '#db/read/customer.ts'
import { listInstancesOf } from '#db/read/instance.ts'
import {
  findInvoiceOf,
  listInvoices,
  readOpenAmounts,
  type InvoiceRow,
  type OpenAmount,
} from '#db/read/invoice.ts'
import { listServers } from '#db/read/server.ts'
import { readStanding, type ReadStanding } from '#db/read/standing.ts'
import type { PageRequest } from '#db/read/page.ts'
import {
  findSubscriptionOf,
  listSubscriptionLines,
  listSubscriptions,
  type SubscriptionRow,
} from '#db/read/subscription.ts'
import { getTestClock } from '#db/read/test-clock.ts'
import { readUse } from '#db/read/usage-export.ts'
import { listUsageWarnings } from '#db/read/usage-warning.ts'
import { listSpendCaps, removeSpendCap, setSpendCap } from '#db/spend-cap.ts'
import { openInvoiceFile } from '#documents/invoice-file.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId, type IdentifierKind } from '#domain/identifier.ts'
import type { InvoiceFileKind } from '#domain/invoice-file.ts'
import type { SpendCap } from '#domain/spend.ts'
import { readBillsSummary } from '../bills-content.ts'
import type { CsvFile } from '../csv.ts'
import { readingsFile, windowsFile } from '../routes/usage-export.ts'

/**
 * All that the portal reads and writes. It is made for one customer, that of the session, and gives nothing of another: what is another's is not
 * found, in the same words as what nobody has. Pages of the portal have no other way to a row.
 */
export interface Own {
  readonly customer: () => Promise<PortalCustomer>
  /** Those that have not ended, or those that have; with one more than asked for. */
  readonly subscriptions: (page: PageRequest & { isEnded: boolean }) => Promise<readonly SubscriptionRow[]>
  readonly contentOf: (rows: readonly SubscriptionRow[]) => Promise<readonly OwnSubscription[]>
  /** Billed usage, or what it was measured from, to be taken along. @throws `not_found` */
  readonly usageFile: (publicId: string, of: 'usage' | 'readings') => Promise<CsvFile>
  /** What usage may cost a period, as the customer says it; null: no cap of his. @throws `not_found` */
  readonly setSpendCap: (publicId: string, cap: Omit<SpendCap, 'setBy'> | null) => Promise<void>
  /** @throws `not_found` */
  readonly subscription: (publicId: string) => Promise<OwnSubscription>
  readonly invoices: (page: PageRequest & { subscriptionId?: string }) => Promise<readonly InvoiceRow[]>
  readonly openAmounts: () => Promise<readonly OpenAmount[]>
  /** @throws `not_found`, `invoice_too_long` */
  readonly invoiceFile: (
    publicId: string,
    kind: InvoiceFileKind,
  ) => Promise<InvoiceFile & { readonly number: string }>
}

type PortalCustomer = Awaited<ReturnType<typeof getCustomer>>

export type OwnSubscription = Awaited<ReturnType<typeof readContent>>

export function ownOf({ db, customerId, now }: { db: Db; customerId: string; now: string }): Own {
  const standings = standingsOf(db)
  const dryRunServers = dryRunServersOf(db)
  const read = async (row: SubscriptionRow) => await readContent(db, row, { standings, dryRunServers, now })
  const find = async (publicId: string) => {
    const id = ownId('subscription', publicId)
    const row = id && (await findSubscriptionOf(db, { customerId, id }))
    if (!row) throw nothingThere()
    return row
  }
  return {
    customer: async () => await getCustomer(db, customerId),
    subscriptions: async (page) =>
      await listSubscriptions(db, {
        ...page,
        customerId,
        phase: null,
        productId: null,
        kitId: null,
        isParked: null,
      }),
    contentOf: async (rows) => await Promise.all(rows.filter(isOf(customerId)).map(read)),
    usageFile: async (publicId, of) => {
      const span = { subscriptionId: (await find(publicId)).id, from: null, until: null }
      return of === 'usage' ? windowsFile(db, span) : readingsFile(publicId, readUse(db, span))
    },
    setSpendCap: async (publicId, cap) => {
      const { id } = await find(publicId)
      const by = { actor: encodeId('customer', customerId), now }
      await db.transaction().execute(async (tx) => {
        if (cap === null) await removeSpendCap(tx, id, { setBy: 'customer', ...by })
        else await setSpendCap(tx, id, { cap: { setBy: 'customer', ...cap }, ...by })
      })
    },
    subscription: async (publicId) => await read(await find(publicId)),
    invoices: async (page) => await listInvoices(db, { ...page, payerId: customerId, isDraft: false }),
    openAmounts: async () => await readOpenAmounts(db, customerId),
    invoiceFile: async (publicId, kind) => {
      const id = ownId('invoice', publicId)
      const row = id && (await findInvoiceOf(db, { payerId: customerId, id }))
      if (!row || row.number === null) throw nothingThere()
      return { ...(await openInvoiceFile(db, row.id, kind)), number: row.number }
    },
  }
}

function isOf(customerId: string): (row: SubscriptionRow) => boolean {
  return (row) => row.customer_id === customerId
}

/** What is no id at all, or one of another kind, is not there either. */
function ownId(kind: IdentifierKind, publicId: string): string | undefined {
  try {
    return decodeId(kind, publicId)
  } catch (error) {
    if (error instanceof BusinessError) return undefined
    throw error
  }
}

function nothingThere(): BusinessError {
  return new BusinessError('not_found', 'There is nothing here.')
}

/** What all bills to come of a customer in one currency, and by one clock, are computed from is read once. */
function standingsOf(db: Db): (row: SubscriptionRow) => Promise<ReadStanding | null> {
  const known = new Map<string, Promise<ReadStanding | null>>()
  return async (row) => {
    if (row.next_invoice_on === null) return null
    const key = `${row.currency} ${row.test_clock_id}`
    const standing = known.get(key) ?? readStanding(db, { subscriptionId: row.id })
    known.set(key, standing)
    return await standing
  }
}

/** Codes of the servers on which nothing really runs: the same for all subscriptions, read once. */
function dryRunServersOf(db: Db): () => Promise<ReadonlySet<string>> {
  const read = async () => {
    const servers = await listServers(db, { limit: 100, cursor: null, direction: 'after' })
    return new Set(servers.filter(({ runner }) => runner === 'dry-run').map(({ code }) => code))
  }
  let known: Promise<ReadonlySet<string>> | undefined
  return async () => await (known ??= read())
}

interface Reading {
  readonly standings: (row: SubscriptionRow) => Promise<ReadStanding | null>
  readonly dryRunServers: () => Promise<ReadonlySet<string>>
  readonly now: string
}

const shownWarnings = 5

async function readContent(db: Db, row: SubscriptionRow, { standings, now, ...reading }: Reading) {
  const [lines, instances, dryRunServers, build, testClock, caps, warnings] = await Promise.all([
    listSubscriptionLines(db, row.id),
    listInstancesOf(db, row.id),
    reading.dryRunServers(),
    readBuild(db, row),
    row.test_clock_id === null ? null : getTestClock(db, row.test_clock_id),
    listSpendCaps(db, row.id),
    listUsageWarnings(db, { subscriptionId: row.id, limit: shownWarnings, cursor: null, direction: 'after' }),
  ])
  const at = testClock?.now_at ?? now
  const bills = await readBillsSummary(db, async () => standings(row), { subscriptionId: row.id, now: at })
  return {
    publicId: encodeId('subscription', row.id),
    row,
    lines,
    instances: instances.filter(({ destroyed_at: destroyedAt }) => destroyedAt === null),
    /** Servers on which nothing really runs. */
    dryRunServers,
    build,
    caps,
    /** Newest first. */
    warnings: warnings.slice(0, shownWarnings),
    now: at,
    ...bills,
  }
}

/** How far it is, while it is made or removed. */
async function readBuild(db: Db, row: SubscriptionRow) {
  if (!['ordered', 'building', 'unbuilding'].includes(row.phase)) return null
  const [newest] = await listBuildsOf(db, row.id)
  return {
    newest: newest ?? null,
    steps: newest === undefined ? [] : await listBuildSteps(db, newest.id),
  }
}
