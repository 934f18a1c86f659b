import { z } from '@hono/zod-openapi'
import type { PresentCost } from '#db/present-usage.ts'
import type { SpendCapRow } from '#db/spend-cap.ts'
import { atField, BusinessError, fieldError, type FieldError } from '#domain/errors.ts'
import { parseAmount } from '#domain/money.ts'
import {
  defaultSpendAlerts,
  readAlert,
  spendEffects,
  writeAlert,
  type SpendAlert,
  type SpendCap,
} from '#domain/spend.ts'
import { parse } from '../validation.ts'
import { amountField, moneySchema } from './common.ts'

const percentField = z.int().min(1).max(1_000)

export const newSpendCapSchema = z
  .strictObject({
    amount: amountField.openapi({ description: 'Of one billing period, before discounts and tax.' }),
    effect: z.enum(spendEffects).openapi({
      description:
        'At the cap: alert tells of it; stop holds the instances until it is raised or a new period begins.',
    }),
    alerts: z
      .array(z.strictObject({ percent: percentField.optional(), amount: amountField.optional() }))
      .max(20)
      .optional()
      .openapi({ description: 'Shares of the cap or amounts; left out, 50, 75, 100 and 150 percent.' }),
  })
  .openapi('NewSpendCap')

const spendCapSchema = z.object({
  set_by: z.enum(['customer', 'operator']),
  amount: moneySchema,
  effect: z.enum(spendEffects),
  alerts: z.array(z.object({ percent: z.number().int().optional(), amount: moneySchema.optional() })),
  held_since: z.string().nullable().openapi({ description: 'Since when the instances are held by it.' }),
  set_at: z.string(),
})

export const spendSchema = z
  .object({
    cost: moneySchema.openapi({ description: 'What usage costs in the periods that run.' }),
    caps: z.array(spendCapSchema),
  })
  .openapi('Spend')

export const earlyInvoiceSchema = z
  .strictObject({
    amount: amountField
      .nullable()
      .openapi({ description: 'Of usage that is not billed; null: usage is billed with its period only.' }),
  })
  .openapi('EarlyInvoice')

/** @throws `field_invalid` */
export function readCapAmount(amount: string, pointer: string, currency: string): number {
  const amountMinor = atField(pointer, () => parseAmount(amount, currency))
  if (amountMinor > 0) return amountMinor
  throw fieldError(pointer, 'field_invalid', 'An amount above 0.')
}

/** @throws `field_invalid` */
export function toSpendCap(
  body: z.output<typeof newSpendCapSchema>,
  { setBy, currency }: { setBy: SpendCap['setBy']; currency: string },
): SpendCap {
  const alerts = body.alerts?.map(({ percent, amount }, index): SpendAlert => {
    const pointer = `/alerts/${index}`
    if ((percent === undefined) === (amount === undefined))
      throw fieldError(pointer, 'field_invalid', 'Either a percent or an amount.')
    return percent === undefined
      ? { amountMinor: readCapAmount(amount ?? '', `${pointer}/amount`, currency) }
      : { percent }
  })
  return {
    setBy,
    amountMinor: readCapAmount(body.amount, '/amount', currency),
    effect: body.effect,
    alerts: alerts ?? defaultSpendAlerts,
  }
}

/** What stands in the one field of a form for all alerts: `50%, 75%, 45.00`. Where there is no cap yet, what it would be told at. */
export function alertsText(cap: SpendCapRow | undefined, currency: string): string {
  return (cap?.alerts ?? defaultSpendAlerts).map((alert) => writeAlert(alert, currency)).join(', ')
}

/**
 * A cap as a form says it. Its field of alerts, left empty, says that nothing is told.
 * @throws `field_invalid`
 */
export function readCapForm(
  { amount, effect, alerts }: Readonly<Record<'amount' | 'effect' | 'alerts', string | null | undefined>>,
  of: { setBy: SpendCap['setBy']; currency: string },
): SpendCap {
  const typed = alerts === undefined ? undefined : alertsIn(alerts ?? '')
  try {
    return toSpendCap(parse(newSpendCapSchema, { amount, effect, alerts: typed?.map(readAlert) }, 'body'), of)
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    const fields = error.fields.map((field) => atFieldOfAlerts(field, typed ?? []))
    const [first] = fields
    const detail = first !== undefined && fields.length === 1 ? first.detail : error.message
    throw new BusinessError(error.code, detail, { fields })
  }
}

/** By spaces, with or without commas. A comma within digits is none that parts them: `20,50` is not two amounts. */
function alertsIn(text: string): string[] {
  return text
    .replaceAll(/\s+%/g, '%')
    .split(/,?\s+|(?<=%),/)
    .filter((alert) => alert !== '')
}

/** A form has one field for all alerts: it says which of them is wrong. */
function atFieldOfAlerts(field: FieldError, typed: readonly string[]): FieldError {
  const [, index] = /^\/alerts\/(\d+)/.exec(field.pointer) ?? []
  if (index === undefined) return field
  const detail = `${typed[Number(index)]} is neither a share of the cap, from 1% to 1000%, nor an amount above 0.`
  return { ...field, pointer: '/alerts', detail }
}

export function toSpendJson(
  caps: readonly SpendCapRow[],
  { costMinor }: Pick<PresentCost, 'costMinor'>,
  currency: string,
): z.input<typeof spendSchema> {
  const money = (amountMinor: number) => ({ amount_minor: amountMinor, currency })
  return {
    cost: money(costMinor),
    caps: caps.map((cap) => ({
      set_by: cap.set_by,
      amount: money(cap.amount_minor),
      effect: cap.effect,
      alerts: cap.alerts.map((alert) =>
        'percent' in alert ? { percent: alert.percent } : { amount: money(alert.amountMinor) },
      ),
      held_since: cap.held_since,
      set_at: cap.set_at,
    })),
  }
}
