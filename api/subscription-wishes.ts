import type { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { lineFormulaNames } from '#domain/invoice/rated-line.ts'
import type { AskedPlan } from '#domain/change.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveField } from './addressing.ts'
import { readPrice } from './schemas/price.ts'
import type {
  cancelSchema,
  changePlanSchema,
  delayLineSchema,
  lineSchema,
  pauseSchema,
  planSuccessorSchema,
  resumeSchema,
  restoreInPlaceSchema,
  stopLineSchema,
  setTermSchema,
  suspendSchema,
  transferSchema,
  withdrawChangeSchema,
} from './schemas/subscription.ts'
import type { Wish } from './subscription-commands.ts'

/** What a body of the API or a form of the console asks for, as a command. */
export function toCancellation(body: z.output<typeof cancelSchema>): Wish {
  return {
    kind: 'cancel',
    when: body.when,
    reason: body.reason,
    asked: { cancelReason: body.reason_code },
    ...(body.ends_on === undefined ? {} : { endsOn: body.ends_on }),
    ...(body.service_ends_on === undefined ? {} : { serviceEndsOn: body.service_ends_on }),
  }
}

export function toSuspension({ code, reason }: z.output<typeof suspendSchema>): Wish {
  return { kind: 'suspend', reason, ...(code === undefined ? {} : { code }) }
}

export function toResumption({ code }: z.output<typeof resumeSchema>): Wish {
  return { kind: 'resume', ...(code === undefined ? {} : { code }) }
}

export function toPause(body: z.output<typeof pauseSchema>): Wish {
  return {
    kind: 'pause',
    reason: body.reason,
    ...(body.starts_on === undefined ? {} : { startsOn: body.starts_on }),
    ...(body.ends_on === undefined ? {} : { endsOn: body.ends_on }),
  }
}

/** @throws `not_found`, `product_unknown`, `id_kind_mismatch`, and what `checkPrice` refuses */
export async function toPlanChange(
  db: Db,
  body: z.output<typeof changePlanSchema>,
): Promise<Wish & { kind: 'changePlan' }> {
  await checkLine(db, body.line)
  const plan = await toPlan(db, body)
  return {
    kind: 'changePlan',
    subscriptionLineId: body.line,
    ...(body.quantity === undefined ? {} : { quantity: body.quantity }),
    ...(Object.keys(plan).length === 0 ? {} : { asked: { plan } }),
  }
}

/** @throws `not_found`, `id_kind_mismatch` */
export async function toWithdrawal(
  db: Db,
  { change: text }: z.output<typeof withdrawChangeSchema>,
): Promise<Wish> {
  const change = { kind: 'waitingChange', text, pointer: '/change', unknown: 'not_found' } as const
  return {
    kind: 'withdrawChange',
    waitingChangeId: encodeId('waitingChange', await resolveField(db, change)),
  }
}

/** @throws `not_found`, `id_kind_mismatch` */
export async function toLineStop(db: Db, body: z.output<typeof stopLineSchema>): Promise<Wish> {
  await checkLine(db, body.line)
  return {
    kind: 'stopLine',
    subscriptionLineId: body.line,
    ...(body.ends_on === undefined ? {} : { endsOn: body.ends_on }),
  }
}

/** @throws `not_found`, `id_kind_mismatch` */
export async function toLineAction(
  db: Db,
  kind: 'cancelLine' | 'uncancelLine' | 'deleteLine',
  body: z.output<typeof lineSchema>,
): Promise<Wish> {
  await checkLine(db, body.line)
  return { kind, subscriptionLineId: body.line }
}

/** @throws `not_found`, `id_kind_mismatch` */
export async function toLineDelay(db: Db, body: z.output<typeof delayLineSchema>): Promise<Wish> {
  await checkLine(db, body.line)
  return { kind: 'delayLine', subscriptionLineId: body.line, startsOn: body.starts_on }
}

/** @throws `not_found`, `id_kind_mismatch` */
export async function toSuccessor(db: Db, body: z.output<typeof planSuccessorSchema>): Promise<Wish> {
  await checkLine(db, body.line)
  return {
    kind: 'planSuccessor',
    subscriptionLineId: body.line,
    startsOn: body.starts_on,
    ...(body.ends_on === undefined ? {} : { endsOn: body.ends_on }),
  }
}

export function toTerm({ length, notice, renewal }: z.output<typeof setTermSchema>): Wish {
  return {
    kind: 'setTerm',
    asked: { term: { length, notice: notice ?? { count: 1, unit: 'day' }, renewal } },
  }
}

/** @throws `not_found`, `id_kind_mismatch` */
export async function toRestore(
  db: Db,
  { backup: text }: z.output<typeof restoreInPlaceSchema>,
): Promise<Wish> {
  const backup = { kind: 'backup', text, pointer: '/backup', unknown: 'not_found' } as const
  return { kind: 'restore', backupId: encodeId('backup', await resolveField(db, backup)) }
}

/** @throws `not_found`, `customer_unknown`, `id_kind_mismatch` */
export async function toTransfer(db: Db, body: z.output<typeof transferSchema>): Promise<Wish> {
  await checkLine(db, body.line)
  const { customer: text, quantity, starts_on: startsOn } = body
  const customer = { kind: 'customer', text, pointer: '/customer', unknown: 'customer_unknown' } as const
  return {
    kind: 'transfer',
    subscriptionLineId: body.line,
    customerId: encodeId('customer', await resolveField(db, customer)),
    ...(quantity === undefined ? {} : { quantity }),
    ...(startsOn === undefined ? {} : { startsOn }),
  }
}

async function checkLine(db: Db, text: string): Promise<void> {
  await resolveField(db, { kind: 'subscriptionLine', text, pointer: '/line', unknown: 'not_found' })
}

async function toPlan(db: Db, body: z.output<typeof changePlanSchema>): Promise<AskedPlan> {
  const { product, price, recurrence, starts_on: startsOn, below_use: belowUse } = body
  const productId =
    product === undefined
      ? undefined
      : await resolveField(db, {
          kind: 'product',
          text: product,
          pointer: '/product',
          unknown: 'product_unknown',
        })
  return {
    ...(productId === undefined ? {} : { productId }),
    // A formula that was agreed with one customer has no attributes of a product to name.
    ...(price === undefined
      ? {}
      : { price: readPrice(price, '/price', lineFormulaNames({ isRecurring: false })) }),
    ...(recurrence === undefined ? {} : { recurrence }),
    ...(startsOn === undefined ? {} : { startsOn }),
    ...(belowUse === 'plan' ? { belowUse } : {}),
  }
}
