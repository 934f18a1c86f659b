import { z } from '@hono/zod-openapi'
import { toStandingLine } from '#db/line-standing.ts'
import type { SubscriptionLineRow, SubscriptionRow } from '#db/read/subscription.ts'
import { billingInterval } from '#domain/calendar.ts'
import { cancelReasons } from '#domain/cancellation.ts'
import { encodeId } from '#domain/identifier.ts'
import { allowedLineActions, lineActions, lineState, lineStates } from '#domain/line.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { unitPriceOf } from '#domain/pricing/unit-price.ts'
import { termOn } from '#domain/renewal.ts'
import { allowedCommands, subscriptionPhases, type SubscriptionCommandKind } from '#domain/subscription.ts'
import { standingOf } from '../subscription-commands.ts'
import { refuseWith } from '../validation.ts'
import { buildSchema, queueSchema } from './build.ts'
import {
  addressField,
  dateField,
  externalIdField,
  quantityField,
  referenceSchema,
  textField,
} from './common.ts'
import { deploymentSchema } from './deployer.ts'
import { addressAt, instanceSchema } from './instance.ts'
import { conversionSchema, toConversionJson } from './explanation.ts'
import { priceField, toPriceJson } from './price.ts'
import { recurrenceField } from './recurrence.ts'
import { termsSchema, toTermsJson } from './terms.ts'
import { waitingChangeSchema } from './waiting-change.ts'

/** How an action is called in addresses; the workflow's command has the same words. */
export const actionNames: Readonly<Record<Exclude<SubscriptionCommandKind, 'advanceTestClock'>, string>> = {
  cancel: 'cancel',
  uncancel: 'uncancel',
  changePlan: 'change-plan',
  withdrawChange: 'withdraw-change',
  pause: 'pause',
  unpause: 'unpause',
  stopLine: 'stop-line',
  cancelLine: 'cancel-line',
  uncancelLine: 'uncancel-line',
  delayLine: 'delay-line',
  deleteLine: 'delete-line',
  planSuccessor: 'plan-successor',
  transfer: 'transfer',
  setTerm: 'set-term',
  setRecurrence: 'set-recurrence',
  suspend: 'suspend',
  resume: 'resume',
  restore: 'restore',
  retryBuild: 'retry-build',
}

export const subscriptionSchema = z
  .object({
    id: z.string(),
    external_id: z.string().nullable(),
    title: z.string(),
    customer: referenceSchema,
    product: z.string().nullable().openapi({ description: 'Code; null for a kit.' }),
    kit: z.string().nullable().openapi({ description: 'Code; null for a product.' }),
    kit_version: z.number().int().nullable().openapi({ description: 'By which it was sold.' }),
    order: z.string(),
    currency: z.string(),
    billed_elsewhere: z
      .boolean()
      .openapi({ description: 'Another system bills it: nothing of it is charged here.' }),
    phase: z.enum(subscriptionPhases),
    parked_reason: z.string().nullable().openapi({ description: 'Set while it waits for an operator.' }),
    starts_on: z.string().nullable(),
    ends_on: z.string().nullable(),
    next_invoice_on: z.string().nullable(),
    least_amount: z.string().nullable().openapi({ description: 'Of a period, before tax.' }),
    greatest_amount: z.string().nullable(),
    cancel_requested_at: z.string().nullable(),
    cancel_reason: z.string().nullable(),
    cancel_reason_code: z.enum([...cancelReasons, 'handed_over', 'trial_over']).nullable(),
    suspended_reason: z.string().nullable(),
    term: z
      .object({ length: recurrenceField, notice: recurrenceField, renewal: z.enum(['renew', 'end']) })
      .nullable()
      .openapi({ description: 'A fixed term, counted from the first day of service.' }),
    term_ends_on: z.string().nullable(),
    term_state: z
      .enum(['running', 'to_renew', 'ending', 'ended'])
      .nullable()
      .openapi({ description: 'Within the notice before its end, it is to renew or ending.' }),
    tags: z.array(z.string()),
    limits_reached: z
      .array(z.string())
      .openapi({ description: 'Codes of limits that are reached and held; those of its instances say how.' }),
    address: z
      .string()
      .nullable()
      .openapi({ description: 'Where the first of its instances answers, on its server.' }),
    notes: z.string().nullable().openapi({ description: 'For operators.' }),
    trial_ends_on: z.string().nullable().openapi({ description: 'The first day that is not free.' }),
    test_clock: z.string().nullable(),
    activated_at: z.string().nullable(),
    ended_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Subscription')

export const tagField = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'A tag has small letters, digits and hyphens')

export const subscriptionChangeSchema = z
  .strictObject({
    external_id: externalIdField.nullish(),
    tags: z.array(tagField).max(20).optional().openapi({ description: 'All of them: others are taken off.' }),
    notes: textField(2_000).nullable().optional(),
  })
  .openapi('SubscriptionChange')

export const subscriptionLineSchema = z
  .object({
    id: z.string(),
    product: z.string(),
    product_version: z.number().int().openapi({ description: 'By which it was sold.' }),
    description: z.string(),
    billing_type: z.string(),
    billing_timing: z.string(),
    interval: z.object({ count: z.number().int(), unit: z.string() }).nullable(),
    quantity: z.string(),
    unit: z.string(),
    unit_price: z.string().nullable().openapi({ description: 'Null where a unit has no single price.' }),
    price: priceField,
    price_sentence: z.string(),
    conversion: conversionSchema.nullable(),
    terms: termsSchema,
    tax_category: z.string(),
    metric: z.string().nullable(),
    limit: z.string().nullable(),
    instance: z.string().nullable(),
    document: z.string().nullable(),
    transferred_from: z
      .string()
      .nullable()
      .openapi({ description: 'The line of another customer that it was.' }),
    starts_on: z.string().nullable(),
    ends_on: z.string().nullable(),
    billed_until: z.string().nullable().openapi({ description: 'The first day that was not billed.' }),
    state: z.enum(lineStates),
    allowed_actions: z.array(z.enum(lineActions)).openapi({
      description:
        'What the table of line actions allows of it today: POST /v1/subscriptions/{id}/{action}-line; successor: plan-successor.',
    }),
  })
  .openapi('SubscriptionLine')

export const subscriptionDetailSchema = subscriptionSchema
  .extend({
    lines: z.array(subscriptionLineSchema),
    instances: z.array(instanceSchema),
    deployments: z.array(deploymentSchema).openapi({ description: 'What of it is deployed elsewhere.' }),
    builds: z.array(buildSchema),
    suspensions: z
      .array(z.object({ code: z.string(), reason: z.string(), set_by: z.string(), set_at: z.string() }))
      .openapi({ description: 'The reasons for which it is suspended. It runs again once all are lifted.' }),
    waiting_changes: z
      .array(waitingChangeSchema)
      .openapi({ description: 'Changes to less than is used: each is made once it fits.' }),
    queue: queueSchema,
    allowed_actions: z.array(z.string()).openapi({ description: 'POST /v1/subscriptions/{id}/{action}' }),
    workflow: z.object({ id: z.string(), url: z.string() }),
  })
  .openapi('SubscriptionDetail')

export function toSubscriptionJson(row: SubscriptionRow): z.input<typeof subscriptionSchema> {
  return {
    id: encodeId('subscription', row.id),
    external_id: row.external_id,
    title: row.title,
    customer: { id: encodeId('customer', row.customer_id), code: row.customer_code, name: row.customer_name },
    product: row.product_code,
    kit: row.kit_code,
    kit_version: row.kit_version,
    order: encodeId('order', row.order_id),
    currency: row.currency,
    billed_elsewhere: row.is_billed_elsewhere,
    phase: row.phase,
    parked_reason: row.parked_reason,
    starts_on: row.starts_on,
    ends_on: row.ends_on,
    next_invoice_on: row.next_invoice_on,
    least_amount: row.least_amount,
    greatest_amount: row.greatest_amount,
    cancel_requested_at: row.cancel_requested_at,
    cancel_reason: row.cancel_reason,
    cancel_reason_code: row.cancel_reason_code,
    suspended_reason: row.suspended_reason,
    ...toTermJson(row),
    tags: [...row.tags],
    limits_reached: [...row.limits_reached],
    address: addressAt(row.host_port),
    notes: row.notes,
    trial_ends_on: row.trial_ends_on,
    test_clock: row.test_clock_id === null ? null : encodeId('testClock', row.test_clock_id),
    activated_at: row.activated_at,
    ended_at: row.ended_at,
    created_at: row.created_at,
  }
}

function toTermJson(row: SubscriptionRow) {
  const { term, term_ends_on, starts_on: startsOn } = row
  if (term === null || startsOn === null) return { term: null, term_ends_on: null, term_state: null }
  const fixed = {
    startsOn,
    length: billingInterval(term.length),
    notice: billingInterval(term.notice),
    isRenewed: term.renewal === 'renew',
  }
  return { term, term_ends_on, term_state: termOn(fixed, row.today).state }
}

export function toSubscriptionLineJson(row: SubscriptionLineRow): z.input<typeof subscriptionLineSchema> {
  return {
    id: encodeId('subscriptionLine', row.id),
    product: row.product_code,
    product_version: row.product_version,
    description: row.description,
    billing_type: row.billing_type,
    billing_timing: row.billing_timing,
    interval:
      row.interval_count !== null && row.interval_unit !== null
        ? { count: row.interval_count, unit: row.interval_unit }
        : null,
    quantity: row.quantity,
    unit: row.unit,
    unit_price: unitPriceOf(row.price),
    price: toPriceJson(row.price),
    price_sentence: describePriceModel(row.price, row.currency, row.unit),
    conversion: row.conversion && toConversionJson(row.conversion),
    terms: toTermsJson(row.terms),
    tax_category: row.tax_category,
    metric: row.metric,
    limit: row.limit_code,
    instance: row.instance_id === null ? null : encodeId('instance', row.instance_id),
    document: row.document_id === null ? null : encodeId('document', row.document_id),
    transferred_from:
      row.transferred_from_line_id === null
        ? null
        : encodeId('subscriptionLine', row.transferred_from_line_id),
    starts_on: row.starts_on,
    ends_on: row.ends_on,
    billed_until: row.billed_until,
    ...toLineStand(row),
  }
}

/** A line without a date is to begin with the subscription; what is paid once has no life of its own. */
function toLineStand(row: SubscriptionLineRow) {
  const line = toStandingLine(row)
  if (line === null)
    return {
      state: row.starts_on === null ? ('planned' as const) : ('running' as const),
      allowed_actions: [],
    }
  const notice = row.term === null ? null : billingInterval(row.term.notice)
  return { state: lineState(line, row.today, notice), allowed_actions: allowedLineActions(line, row.today) }
}

export function allowedActions(row: SubscriptionRow): string[] {
  return allowedCommands(standingOf(row)).flatMap((kind) =>
    kind === 'advanceTestClock' ? [] : [actionNames[kind]],
  )
}

/** Where a person reads the story of a subscription in Temporal's UI. */
export function toWorkflowJson(publicId: string, temporal: { uiUrl: string; namespace: string }) {
  const id = `subscription/${publicId}`
  return { id, url: `${temporal.uiUrl}/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(id)}` }
}

const reasonField = textField(500).trim().min(1, 'Say why, in a few words')

export const cancelSchema = z
  .strictObject({
    when: z.enum(['period_end', 'now', 'date']).default('period_end'),
    ends_on: dateField
      .optional()
      .openapi({ description: 'With when: date. The first day that is not billed.' }),
    service_ends_on: dateField.optional().openapi({
      description: 'The first day on which nothing runs any more; left out, the day on which billing ends.',
    }),
    reason_code: z.enum(cancelReasons).default('other').openapi({ description: 'As reports count it.' }),
    reason: reasonField.default('No reason given.').openapi({ description: 'In your own words.' }),
  })
  .refine((cancel) => (cancel.when === 'date') === (cancel.ends_on !== undefined), {
    path: ['ends_on'],
    error: 'ends_on belongs to when: date',
  })
  .openapi('Cancel')

const suspensionCode = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,39}$/, 'A code has lower case letters, digits and underscores')

export const suspendSchema = z
  .strictObject({
    reason: reasonField,
    code: suspensionCode.optional().openapi({
      description:
        'By which the reason is lifted again, such as debt or abuse; left out, requested. What is suspended already can be suspended for one reason more.',
    }),
  })
  .openapi('Suspend')

export const resumeSchema = z
  .strictObject({
    code: suspensionCode.optional().openapi({
      description:
        'The reason that is gone. What is suspended for others stays so. Left out: the one that was set without a code, or a pause.',
    }),
  })
  .openapi('Resume')

export const restoreInPlaceSchema = z
  .strictObject({
    backup: addressField.openapi({
      description: 'Kept, and of the instance, or what it began with: then the instance’s secrets fit it.',
    }),
  })
  .openapi('RestoreInPlace')

export const pauseSchema = z
  .strictObject({
    starts_on: dateField.optional().openapi({ description: 'Left out: today.' }),
    ends_on: dateField
      .optional()
      .openapi({ description: 'The first day after it; left out, until it is resumed.' }),
    reason: reasonField.optional(),
  })
  .openapi('Pause')

export const stopLineSchema = z
  .strictObject({
    line: addressField,
    ends_on: dateField
      .optional()
      .openapi({ description: 'The first day that is not billed; left out, the end of what was billed.' }),
  })
  .openapi('StopLine')

/** Of a line that is cancelled, brought back or deleted nothing is asked but which. */
export const lineSchema = z.strictObject({ line: addressField }).openapi('LineOfSubscription')

export const delayLineSchema = z
  .strictObject({
    line: addressField,
    starts_on: dateField.openapi({ description: 'The new first day. Its end moves by as many days.' }),
  })
  .openapi('DelayLine')

export const planSuccessorSchema = z
  .strictObject({
    line: addressField,
    starts_on: dateField.openapi({ description: 'The day on which the line ends, or a later one.' }),
    ends_on: dateField
      .optional()
      .openapi({ description: 'The first day on which the successor is not sold; left out, it stays open.' }),
  })
  .openapi('PlanSuccessor')

export const transferSchema = z
  .strictObject({
    line: addressField,
    customer: addressField.openapi({ description: 'Who gets it. Code or id.' }),
    quantity: quantityField.optional().openapi({ description: 'Left out: all of it.' }),
    starts_on: dateField.optional().openapi({
      description: 'The first day on which the other customer has it; left out, today.',
    }),
  })
  .openapi('Transfer')

export const setTermSchema = z
  .strictObject({
    length: recurrenceField,
    notice: recurrenceField.optional().openapi({
      description: 'How long before its end it must be said that it shall not be renewed; left out, a day.',
    }),
    renewal: z.enum(['renew', 'end']).default('renew'),
  })
  .openapi('SetTerm')

const changes = ['quantity', 'product', 'price', 'recurrence'] as const

export const setRecurrenceSchema = z.strictObject({ recurrence: recurrenceField }).openapi('SetRecurrence')

export const belowUseRules = ['refuse', 'plan'] as const

/** What everybody may ask of a line; a price is agreed by an operator. */
export const changeShape = {
  line: addressField.openapi({ description: 'The subscription line that changes.' }),
  quantity: quantityField.optional(),
  product: addressField.optional().openapi({
    description: 'Another product, or the same at the price of the day. Code or id.',
  }),
  recurrence: recurrenceField
    .optional()
    .openapi({ description: 'Left alone, a longer period costs as much as so many shorter ones.' }),
  starts_on: dateField
    .optional()
    .openapi({ description: 'Left out: the first day that the terms of the line allow.' }),
  below_use: z.enum(belowUseRules).optional().openapi({
    description:
      'What becomes of a change to less of a limit than is used: refuse, as by default, or plan: it is made once it fits, and told of at the end of each period until then.',
  }),
}

export const withdrawChangeSchema = z
  .strictObject({ change: addressField.openapi({ description: 'The change that waits, wch_….' }) })
  .openapi('WithdrawChange')

export const changePlanSchema = z
  .strictObject({
    ...changeShape,
    price: priceField.optional().openapi({ description: 'Agreed by you, whatever the lists say.' }),
  })
  .refine((change) => changes.some((field) => change[field] !== undefined), {
    path: ['quantity'],
    error: refuseWith('field_required', `A change has at least one of ${changes.join(', ')}.`),
  })
  .openapi('ChangePlan')
export const nothingSchema = z.strictObject({}).openapi('Nothing')
