import { z } from '@hono/zod-openapi'
import Big from 'big.js'
import { saidLine, type OrderPreview } from '#db/order-preview.ts'
import type { OrderRow } from '#db/read/order.ts'
import { dateIn } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ChosenOffer } from '#domain/link.ts'
import type { AskedStart } from '#domain/order-start.ts'
import { lineSentence, offerSentence } from '#domain/pricing/sentence.ts'
import { unitPriceOf } from '#domain/pricing/unit-price.ts'
import { orderStateOn, orderStates } from '#domain/quote.ts'
import { subscriptionPhases } from '#domain/subscription.ts'
import {
  addressField,
  amountField,
  codeField,
  currencyField,
  dateField,
  externalIdField,
  moneySchema,
  nameField,
  quantityField,
  referenceSchema,
} from './common.ts'
import { billElsewhere } from '../permission.ts'
import { conversionSchema, toConversionJson } from './explanation.ts'
import { holdShape, plannedHoldSchema, toHoldJson, toPlannedHoldJson } from './order-hold.ts'
import { discountCodeField } from './discount.ts'
import { explainLink, linkReasonSchema } from './link.ts'
import { placementSchema, toPlacementJson } from './placement.ts'
import { priceField, toPriceJson } from './price.ts'
import { defaultsShape } from './subscription-template.ts'
import { acceptedTermsField } from './service-terms.ts'

const startField = z.union([
  z.strictObject({ on: dateField.openapi({ description: 'A day, past or to come.' }) }),
  z.strictObject({
    at: z
      .enum(['this_period_start', 'this_period_end', 'next_period_start', 'next_period_end'])
      .openapi({ description: 'By the calendar’s periods of what is ordered.' }),
    month: z.int().min(1).max(12).optional().openapi({ description: 'That month of the period.' }),
  }),
])

/** The start that is asked for, as the domain takes it. */
export function toAskedStart(json: z.output<typeof startField> | null | undefined): AskedStart | null {
  if (json == null) return null
  if ('on' in json) return { kind: 'date', on: json.on }
  return { kind: 'period', method: json.at, month: json.month ?? null }
}

const environmentField = z
  .union([
    addressField,
    z.strictObject({ name: z.string().max(200), prefix: z.string().max(200).optional() }),
  ])
  .openapi({
    description:
      'The id of one that the customer has, or a new one: its name, and the prefix of what runs in it, left out the name. Left out: the customer’s own.',
  })
/** Codes with what was chosen or said, as text. */
const answersField = z
  .record(codeField(60), z.union([z.string().max(2000), z.number(), z.boolean()]).transform(String))
  .refine((answers) => Object.keys(answers).length <= 100, { error: 'At most 100 answers' })
  .default({})

const saidField = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,59}$/, 'It is asked for under a code, or the name of a variable'),
    z.union([z.string().max(2000), z.number(), z.boolean()]).transform(String),
  )
  .refine((answers) => Object.keys(answers).length <= 100, { error: 'At most 100 answers' })
  .default({})
  .openapi({
    description:
      'What is said, by the codes of its order fields; and by their names the variables that its applications ask for and that neither an option nor a field sets.',
  })

const orderShape = {
  environment: environmentField.nullish(),
  external_id: externalIdField.nullish(),
  customer: addressField.openapi({ description: 'Id or code.' }),
  lines: z
    .array(
      z
        .strictObject({
          product: addressField.optional(),
          kit: addressField.optional(),
          quantity: quantityField.default('1'),
          subscription: addressField
            .optional()
            .openapi({ description: 'The subscription that the product joins, instead of making one.' }),
          external_id: externalIdField
            .optional()
            .openapi({ description: 'By which another system knows the subscription that the line makes.' }),
          options: answersField.openapi({
            description:
              'What is chosen, by the codes of the product’s options: a choice, a quantity, true or false.',
          }),
          fields: saidField,
          links: z
            .record(z.string().max(40), addressField)
            .default({})
            .refine((links) => Object.keys(links).length <= 20, { error: 'At most 20 links' })
            .openapi({
              description:
                'Instances that what is built is linked to, by the names of its wants. What is not named is taken where it is on offer.',
            }),
          server: addressField.optional().openapi({
            description: 'Where its instances are to be, if they can be there. Not said in the shop.',
          }),
          template: addressField.optional().openapi({
            description: 'Named defaults of its subscription; what this line says itself wins over them.',
          }),
          ...defaultsShape,
          without_trial: z.boolean().default(false).openapi({
            description: 'Sold without the trial of the product: to somebody who has used it, too.',
          }),
        })
        .refine((line) => line.subscription === undefined || line.kit === undefined, {
          path: ['kit'],
          error: 'Only a product joins a subscription',
        })
        .refine((line) => (line.product === undefined) !== (line.kit === undefined), {
          error: 'A line names either a product or a kit',
        }),
    )
    .max(100),
  currency: currencyField.optional().openapi({ description: 'Left out: the customer’s.' }),
  test_clock: addressField.nullish().openapi({ description: 'The subscriptions then live by this clock.' }),
  starts: startField
    .nullish()
    .openapi({ description: 'Left out: as soon as the application is there, or as the seller says.' }),
  purchase_order_reference: nameField.max(100).nullish(),
  discount_code: discountCodeField.nullish(),
  least_amount: amountField.nullish().openapi({
    description:
      'What each of its subscriptions comes to at least in a period, before tax; what is missing is billed after it.',
  }),
  greatest_amount: amountField.nullish().openapi({
    description: 'What each of its subscriptions comes to at most in a period, before tax.',
  }),
  has_own_anchor: z
    .boolean()
    .default(false)
    .openapi({ description: 'Its periods are counted from its own first day, and invoiced apart.' }),
  channel: z
    .enum(['api', 'command_line', 'shop'])
    .default('api')
    .openapi({ description: 'In the shop, nothing hidden is sold.' }),
}

interface Bounds {
  readonly least_amount?: string | null | undefined
  readonly greatest_amount?: string | null | undefined
}

function areBoundsInOrder({ least_amount: least, greatest_amount: greatest }: Bounds): boolean {
  return least == null || greatest == null || new Big(least).lte(greatest)
}

const boundsRefusal = {
  path: ['greatest_amount'],
  error: 'The greatest amount is not below the least one',
}

/** The totals of a preview. */
export const agreedField = z
  .strictObject({ total_now_minor: z.int(), total_per_period_minor: z.int() })
  .nullish()
  .openapi({ description: 'The totals that the preview showed: ordered is this, or nothing.' })

const confirmationShape = { agreed: agreedField, accepted_terms: acceptedTermsField.nullish() }

export const confirmationSchema = z.strictObject(confirmationShape).openapi('Confirmation')

/** Exact, and said by a person: what is named here is removed one day. */
const takeOverField = z.strictObject({
  server: addressField,
  application: addressField,
  containers: z
    .record(
      z.string().max(100),
      z.strictObject({
        name: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,200}$/),
        id: z.string().regex(/^[0-9a-f]{64}$/, 'The whole id: docker ps --no-trunc'),
      }),
    )
    .openapi({ description: 'By service: what its container is called on the server, and its whole id.' }),
  volumes: z
    .record(z.string().max(100), z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,200}$/))
    .default({})
    .openapi({ description: 'By volume of the application: what it is called on the server.' }),
  host_port: z.int().min(1).max(65_535).nullable().default(null),
})

export const newOrderSchema = z
  .strictObject({
    ...orderShape,
    ...confirmationShape,
    restore_from: addressField
      .optional()
      .openapi({ description: 'A backup that the new instance of its application begins with.' }),
    billed_elsewhere: z
      .boolean()
      .default(false)
      .openapi({
        description: `Another system bills it: it is deployed here, and nothing of it is ever charged. A key needs the scope ${billElsewhere}.`,
      }),
    take_over: takeOverField
      .optional()
      .openapi({ description: 'A group of containers that runs already, and becomes the new instance.' }),
  })
  .refine(areBoundsInOrder, boundsRefusal)
  .openapi('NewOrder')

/** The end of a quote, beside what is ordered. */
const expiryField = dateField.openapi({
  description: 'The first day on which the quote cannot be had any more.',
})

export const newDraftSchema = z
  .strictObject({ ...orderShape, expires_on: expiryField })
  .refine(areBoundsInOrder, boundsRefusal)
  .openapi('NewDraft')

export const draftChangeSchema = z
  .strictObject({
    external_id: orderShape.external_id,
    environment: orderShape.environment,
    lines: orderShape.lines.optional(),
    starts: orderShape.starts,
    purchase_order_reference: orderShape.purchase_order_reference,
    discount_code: orderShape.discount_code,
    least_amount: orderShape.least_amount,
    greatest_amount: orderShape.greatest_amount,
    has_own_anchor: z.boolean().optional(),
    expires_on: expiryField.optional(),
  })
  .refine(areBoundsInOrder, boundsRefusal)
  .openapi('DraftChange')

const orderLine = z.object({
  product: z.string().nullable(),
  kit: z.string().nullable(),
  quantity: z.string(),
  subscription: z.string().nullable().openapi({ description: 'Where the line joined one.' }),
  options: z.record(z.string(), z.string()),
  fields: z.record(z.string(), z.string()).openapi({ description: 'Without what was said in secret.' }),
})

export const orderSchema = z
  .object({
    id: z.string(),
    external_id: z.string().nullable(),
    state: z.enum(orderStates),
    expires_on: z.string().nullable().openapi({ description: 'Of what was a draft.' }),
    quoted: z
      .object({ total_now: moneySchema, total_per_period: moneySchema })
      .nullable()
      .openapi({ description: 'What it came to when it was drafted, or changed last.' }),
    customer: referenceSchema,
    currency: z.string(),
    channel: z.string(),
    actor: z.string(),
    test_clock: z.string().nullable(),
    environment: z
      .object({
        id: z.string().nullable().openapi({ description: 'Null: it is made when the order is confirmed.' }),
        name: z.string(),
        prefix: z.string(),
      })
      .nullable()
      .openapi({ description: 'Null, of a draft: the customer’s own.' }),
    names_reserved_until: z.string().nullable().openapi({
      description: 'Of a draft that names a new environment: others can have its names from then on.',
    }),
    lines: z.array(orderLine),
    subscriptions: z.array(
      z.object({
        id: z.string(),
        external_id: z.string().nullable(),
        title: z.string(),
        phase: z.enum(subscriptionPhases),
      }),
    ),
    accepted_terms: z
      .object({ version: z.number().int(), at: z.string(), by: z.string() })
      .nullable()
      .openapi({ description: 'The version of the terms of service that was accepted, when and by whom.' }),
    confirmed_at: z.string().nullable(),
    cancelled_at: z.string().nullable(),
    ...holdShape,
  })
  .openapi('Order')

/** @param now the real instant; an order on a test clock stands where it stands at the clock's */
export function toOrderJson(row: OrderRow, now: string): z.input<typeof orderSchema> {
  const marks = {
    confirmedAt: row.confirmed_at,
    cancelledAt: row.cancelled_at,
    expiredAt: row.expired_at,
    expiresOn: row.expires_on,
  }
  const { currency, quote } = row
  return {
    id: encodeId('order', row.id),
    external_id: row.external_id,
    state: orderStateOn(marks, dateIn(row.time_zone, row.test_clock_now_at ?? now)),
    expires_on: row.expires_on,
    quoted: quote && {
      total_now: { amount_minor: quote.totalNowMinor, currency },
      total_per_period: { amount_minor: quote.totalPerPeriodMinor, currency },
    },
    customer: { id: encodeId('customer', row.customer_id), code: row.customer_code, name: row.customer_name },
    currency: row.currency,
    channel: row.channel,
    actor: row.actor,
    test_clock: row.test_clock_id === null ? null : encodeId('testClock', row.test_clock_id),
    environment: toEnvironmentJson(row),
    names_reserved_until: row.names_reserved_until,
    lines: row.lines.map((line) => ({
      product: line.product_code,
      kit: line.kit_code,
      quantity: line.quantity,
      subscription: line.subscription_id === null ? null : encodeId('subscription', line.subscription_id),
      options: line.answers.options,
      fields: line.answers.fields,
    })),
    subscriptions: row.subscriptions.map(({ id, external_id, title, phase }) => ({
      id: encodeId('subscription', id),
      external_id,
      title,
      phase,
    })),
    accepted_terms: toAcceptedTermsJson(row),
    confirmed_at: row.confirmed_at,
    cancelled_at: row.cancelled_at,
    ...toHoldJson(row),
  }
}

function toAcceptedTermsJson({
  terms_version: version,
  terms_accepted_at: at,
  terms_accepted_by: by,
}: OrderRow) {
  return version === null || at === null || by === null ? null : { version, at, by }
}

function toEnvironmentJson({ environment, quote }: OrderRow) {
  if (environment !== null) return { ...environment, id: encodeId('environment', environment.id) }
  const asked = quote?.environment
  return asked?.kind === 'new' ? { id: null, name: asked.name, prefix: asked.prefix } : null
}

const previewedLine = z.object({
  product: z.string(),
  name: z.string(),
  billing_type: z.string(),
  billing_timing: z.string(),
  quantity: z.string(),
  unit: z.string(),
  unit_price: z.string().nullable().openapi({ description: 'Null where a unit has no single price.' }),
  price: priceField,
  price_sentence: z.string(),
  price_source: z.string(),
  conversion: conversionSchema.nullable(),
  interval: z.object({ count: z.number().int(), unit: z.string() }).nullable(),
  amount: moneySchema.openapi({ description: 'Of one full period; 0 for what is metered.' }),
})

const orderTotal = z.object({ net: moneySchema, tax: moneySchema, total: moneySchema })

export const orderPreviewSchema = z
  .object({
    currency: z.string(),
    starts_on: z.string().nullable().openapi({ description: 'The first day of service that was asked for.' }),
    discount: z.object({ code: z.string(), name: z.string() }).nullable(),
    subscriptions: z.array(
      z.object({
        title: z.string(),
        lines: z.array(previewedLine),
        price_sentence: z.string().openapi({ description: 'All that it costs, as one sentence.' }),
        build_steps: z.array(z.string()),
        links: z
          .array(
            z.object({
              application: z.string(),
              name: z.string(),
              kind: z.string(),
              is_required: z.boolean(),
              offer: z
                .object({ instance: z.string().nullable(), name: z.string() })
                .nullable()
                .openapi({ description: 'Without an instance: of what is ordered with it.' }),
              reason: linkReasonSchema,
              explanation: z.string(),
            }),
          )
          .openapi({ description: 'What its applications want of others, and whose offer they take.' }),
        variables: z
          .record(z.string(), z.string().nullable())
          .openapi({ description: 'What its application is told; null stands for a secret.' }),
        server: z.string().nullable(),
        placements: z
          .array(placementSchema)
          .openapi({ description: 'Where its applications would go, and why.' }),
      }),
    ),
    additions: z.array(z.object({ subscription: z.string(), line: previewedLine })).openapi({
      description:
        'Lines that join a subscription: they pay for a part of its period first, on its next invoice.',
    }),
    total_now: moneySchema.openapi({ description: 'Due at activation, after the discount.' }),
    total_per_period: moneySchema.openapi({
      description:
        'Fixed amount of one period of every recurring line, whatever its interval, as `agreed` takes it. What is paid how often is in `recurring`.',
    }),
    due_now: orderTotal.openapi({ description: 'What is due at activation, with its tax.' }),
    recurring: z
      .array(orderTotal.extend({ interval: z.object({ count: z.number().int(), unit: z.string() }) }))
      .openapi({ description: 'Fixed amounts that come again, each interval by itself.' }),
    metered: z.array(z.string()).openapi({ description: 'What is metered, one sentence each.' }),
    waits_for: z.array(plannedHoldSchema).openapi({
      description: 'What it will wait for before anything of it is built. Empty: it is built at once.',
    }),
  })
  .openapi('OrderPreview')

export function toOrderPreviewJson(preview: OrderPreview): z.input<typeof orderPreviewSchema> {
  const { currency } = preview
  return {
    currency,
    starts_on: preview.startsOn,
    discount: preview.discount,
    subscriptions: preview.subscriptions.map((subscription) => ({
      title: subscription.title,
      lines: subscription.lines.map((line) => toPreviewedLineJson(line, currency)),
      price_sentence: offerSentence(
        subscription.lines.map((line) => ({
          ...saidLine(line, currency),
          isIncluded: line.price.source === 'kit',
        })),
      ),
      build_steps: [...subscription.buildSteps],
      links: subscription.links.map(({ application, link }) => ({
        application,
        name: link.want.name,
        kind: link.want.kind,
        is_required: link.want.isRequired,
        offer: link.chosen && offerOf(link.chosen),
        reason: link.chosen?.reason ?? null,
        explanation: explainLink({ reason: link.chosen?.reason ?? null, kind: link.want.kind }),
      })),
      variables: subscription.variables,
      server: subscription.server,
      placements: subscription.placements.map(toPlacementJson),
    })),
    additions: preview.additions.flatMap(({ subscriptionId, line, options }) =>
      [line, ...options].map((added) => ({
        subscription: encodeId('subscription', subscriptionId),
        line: toPreviewedLineJson(added, currency),
      })),
    ),
    total_now: { amount_minor: preview.totalNowMinor, currency },
    total_per_period: { amount_minor: preview.totalPerPeriodMinor, currency },
    due_now: toOrderTotalJson(preview.dueNow, currency),
    recurring: preview.recurring.map(({ interval, ...total }) => ({
      interval,
      ...toOrderTotalJson(total, currency),
    })),
    metered: [...preview.metered],
    waits_for: preview.holds.map(toPlannedHoldJson),
  }
}

/** What is only ordered has no id yet. */
function offerOf({ offering }: ChosenOffer): { instance: string | null; name: string } {
  return { instance: offering.instance.startsWith('inst_') ? offering.instance : null, name: offering.name }
}

function toOrderTotalJson(
  { netMinor, taxMinor, totalMinor }: OrderPreview['dueNow'],
  currency: string,
): z.input<typeof orderTotal> {
  const money = (amountMinor: number) => ({ amount_minor: amountMinor, currency })
  return { net: money(netMinor), tax: money(taxMinor), total: money(totalMinor) }
}

type PreviewedLine = OrderPreview['subscriptions'][number]['lines'][number]

function toPreviewedLineJson(line: PreviewedLine, currency: string): z.input<typeof previewedLine> {
  const { product } = line
  return {
    product: product.code,
    name: product.name,
    billing_type: product.billingType,
    billing_timing: product.billingTiming,
    quantity: line.quantity,
    unit: product.unit,
    unit_price: unitPriceOf(line.price.price),
    price: toPriceJson(line.price.price),
    price_sentence: lineSentence(saidLine(line, currency)),
    price_source: line.price.source,
    conversion: line.price.conversion === undefined ? null : toConversionJson(line.price.conversion),
    interval: line.interval === null ? null : { count: line.interval.count, unit: line.interval.unit },
    amount: { amount_minor: line.amountMinor, currency },
  }
}
