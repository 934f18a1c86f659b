import { z } from '@hono/zod-openapi'
import type { Db, Tx } from '#db/database.ts'
import { getInstallation } from '#db/read/installation.ts'
import {
  getSupplierSubscription,
  listSupplierSubscriptions,
  readExpectations,
} from '#db/read/supplier-subscription.ts'
import { endSupplierSubscription, insertSupplierSubscription } from '#db/supplier-subscription.ts'
import { addDays, dateIn, earlierDate, laterDate } from '#domain/calendar.ts'
import { monthPeriod } from '#domain/supplied-line.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import { monthField } from '../schemas/expense.ts'
import {
  expectedOfSuppliersSchema,
  newSupplierSubscriptionSchema,
  supplierSubscriptionChangeSchema,
  supplierSubscriptionSchema,
  toExpectedJson,
  toSupplierSubscriptionJson,
} from '../schemas/supplier-subscription.ts'
import { resolveSupplier } from './expenses.ts'

const [tag, read, write] = ['Suppliers', 'supplier_invoices:read', 'supplier_invoices:write'] as const
const path = '/v1/supplier-subscriptions'

/** What suppliers bill every month, held against what has come. */
export function registerSupplierSubscriptions(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/expected-supplier-invoices',
      permission: read,
      tag,
      summary: 'What is expected of suppliers in a month, and what of it was received',
      query: z.strictObject({ month: monthField }),
      result: expectedOfSuppliersSchema,
    },
    async ({ db, query, now }) => await readExpected(db, query.month, now),
  )
  frame.route(
    {
      method: 'get',
      path,
      permission: read,
      tag,
      summary: 'List supplier subscriptions',
      query: z.strictObject({ ...pageQuery, supplier: addressField.optional() }),
      result: pageOf(supplierSubscriptionSchema),
      refusals: ['supplier_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const supplierId =
        query.supplier === undefined ? null : await resolveSupplier(db, query.supplier, '?supplier')
      return toPage(
        await listSupplierSubscriptions(db, { ...page, supplierId }),
        page,
        toSupplierSubscriptionJson,
      )
    },
  )
  registerWriting(frame)
}

function registerWriting(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path,
      permission: write,
      tag,
      summary: 'Expect an invoice of a supplier every month',
      description: 'One that is missing after its grace makes one task, which its arrival closes.',
      body: newSupplierSubscriptionSchema,
      result: supplierSubscriptionSchema,
      status: 201,
      location: (made) => `${path}/${made.id}`,
      refusals: ['supplier_unknown'],
    },
    async ({ transaction, body, principal, now }) => {
      const tx = transaction()
      const id = await carryOutExpecting(tx, body, { actor: principal.name, now })
      return toSupplierSubscriptionJson(await getSupplierSubscription(tx, id))
    },
  )
  frame.route(
    {
      method: 'get',
      path: `${path}/{id}`,
      permission: read,
      tag,
      summary: 'Read a supplier subscription',
      params: idParams,
      result: supplierSubscriptionSchema,
    },
    async ({ db, params }) =>
      toSupplierSubscriptionJson(
        await getSupplierSubscription(db, await resolveAddress(db, 'supplierSubscription', params.id)),
      ),
  )
  frame.route(
    {
      method: 'patch',
      path: `${path}/{id}`,
      permission: write,
      tag,
      summary: 'Say from when on nothing is expected of a supplier subscription',
      description: 'What was missing from that day on is settled.',
      params: idParams,
      body: supplierSubscriptionChangeSchema,
      result: supplierSubscriptionSchema,
      refusals: ['date_range_invalid'],
    },
    async ({ transaction, params, body, now }) => {
      const tx = transaction()
      const id = await resolveAddress(tx, 'supplierSubscription', params.id)
      await endSupplierSubscription(tx, { id, endsOn: body.ends_on, now })
      return toSupplierSubscriptionJson(await getSupplierSubscription(tx, id))
    },
  )
}

/** Also of a month to come: what will be expected then. */
export async function readExpected(db: Db, month: string, now: string) {
  const { timeZone } = await getInstallation(db)
  const { start, end } = monthPeriod(month)
  const today = dateIn(timeZone, now)
  // Of what comes after the month, too, an invoice is taken first for what it is nearest to.
  const until = earlierDate(laterDate(today, addDays(end, -1)), addDays(end, 31))
  return toExpectedJson(month, await readExpectations(db, { supplierId: null, today, from: start, until }))
}

/** @returns its id */
export async function carryOutExpecting(
  tx: Tx,
  body: z.output<typeof newSupplierSubscriptionSchema>,
  { actor, now }: { readonly actor: string; readonly now: string },
): Promise<string> {
  return await insertSupplierSubscription(tx, {
    supplierId: await resolveSupplier(tx, body.supplier, '/supplier'),
    name: body.name,
    amountMinor: body.amount_minor ?? null,
    lineText: body.line_text ?? null,
    beginsOn: body.begins_on,
    endsOn: body.ends_on ?? null,
    graceDays: body.grace_days,
    actor,
    now,
  })
}
