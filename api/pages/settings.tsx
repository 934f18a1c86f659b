import type { Child } from 'hono/jsx'
import { readNextNumbers } from '#db/read/next-number.ts'
import { readSeller } from '#db/seller.ts'
import { announcedFields, type AnnouncedField } from '#domain/announcement.ts'
import { dateIn } from '#domain/calendar.ts'
import type { Frame } from '../frame.ts'
import { toSellerJson } from '../schemas/seller.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Choice, PostForm, TextArea, TextField, Tick, type RefusedInput } from './form.tsx'
import { Section } from './parts.tsx'
import { Saved, SettingsFrame } from './settings-frame.tsx'

export function registerSettings(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/settings', permission: 'seller:read' },
    async (view, ctx) => await settingsBody(frame, view, { saved: ctx.req.query('saved') }),
  )
}

/** The page, as it is opened, after one of its forms was saved, and with one that was refused. */
export async function settingsBody(
  { deps }: Frame,
  view: ConsoleView,
  after: { saved?: string | undefined; refused?: RefusedInput },
): Promise<ConsoleBody> {
  const settings = await readSeller(deps.db)
  const today = dateIn(settings.timeZone, view.now)
  const next = await readNextNumbers(deps.db, settings.numberPatterns, today)
  const props = { view, seller: toSellerJson(settings), ...after }
  return {
    title: 'Settings',
    current: 'settings',
    children: (
      <SettingsFrame current="/settings">
        <div class="columns even">
          <SellerForm {...props} />
          <div class="stack">
            <BillingForm {...props} />
            <OrdersForm {...props} />
            <KeptForm {...props} />
            <AnnouncedForm {...props} />
            <NumbersForm {...props} next={next} />
          </div>
        </div>
      </SettingsFrame>
    ),
  }
}

interface SettingsProps {
  readonly view: ConsoleView
  readonly seller: ReturnType<typeof toSellerJson>
  readonly saved?: string | undefined
  readonly refused?: RefusedInput
}

/** One card, one form, one button: what stands in another card is not touched. */
function SettingsForm(props: SettingsProps & { form: string; title: string; children?: Child }) {
  const { form, view, refused, saved } = props
  return (
    <Section id={form} title={props.title}>
      <Saved isSaved={saved === form && refused === undefined}>
        Saved. Finalized documents keep what they were made with.
      </Saved>
      <PostForm view={view} form={form} refused={refused} action={`/settings/${form}`}>
        {props.children}
        <div class="buttons">
          <button type="submit" class="primary">
            Save<span class="visually-hidden"> {props.title}</span>
          </button>
        </div>
      </PostForm>
    </Section>
  )
}

function SellerForm(props: SettingsProps) {
  const { seller } = props
  const at = { form: 'seller', refused: props.refused }
  return (
    <SettingsForm {...props} form="seller" title="Who sells">
      <TextField {...at} name="name" label="Name" value={seller.name} isRequired />
      <TextArea {...at} name="address" label="Address" value={seller.address} />
      <TextField
        {...at}
        name="country"
        label="Country"
        value={seller.country}
        hint="Two letters, such as DE. Without it no tax is charged."
      />
      <TextField {...at} name="tax_id" label="Tax id" value={seller.tax_id} />
      <TextField
        {...at}
        name="registration"
        label="Trade register"
        value={seller.registration}
        hint="As it is printed."
      />
      <TextField {...at} name="email" label="Email" type="email" value={seller.email} />
      <fieldset class="wide">
        <legend>Bank account</legend>
        <div class="sheet">
          <TextField {...at} name="bank_account.iban" label="IBAN" value={seller.bank_account?.iban} />
          <TextField {...at} name="bank_account.bic" label="BIC" value={seller.bank_account?.bic} />
          <TextField
            {...at}
            name="bank_account.name"
            label="Account holder"
            value={seller.bank_account?.name}
          />
        </div>
      </fieldset>
      <p class="hint wide">
        Currency {seller.currency} and time zone {seller.time_zone} stay: prices and periods are in them.
      </p>
    </SettingsForm>
  )
}

function BillingForm(props: SettingsProps) {
  const { seller } = props
  const at = { form: 'billing', refused: props.refused }
  return (
    <SettingsForm {...props} form="billing" title="Taxes and billing">
      <Choice
        {...at}
        name="prices_include_tax"
        label="Prices"
        value={String(seller.prices_include_tax)}
        choices={[
          ['false', 'are net: tax comes on top'],
          ['true', 'include tax'],
        ]}
      />
      <Choice
        {...at}
        name="tax_determination"
        label="Which tax is charged"
        value={seller.tax_determination}
        choices={[
          ['table', 'by the tax rates'],
          ['service', 'by the tax service; what it has not answered waits'],
        ]}
      />
      <Choice
        {...at}
        name="tax_rounding"
        label="Tax is rounded"
        value={seller.tax_rounding}
        choices={[
          ['document', 'once a document'],
          ['line', 'on each line'],
        ]}
      />
      <Choice
        {...at}
        name="states_tax_in_own_currency"
        label="Tax on invoices in other currencies"
        value={String(seller.states_tax_in_own_currency)}
        choices={[
          ['false', 'is said in their currency'],
          ['true', `is said in ${seller.currency} as well`],
        ]}
      />
      <Choice
        {...at}
        name="skips_zero_invoices"
        label="Invoices of 0.00"
        value={String(seller.skips_zero_invoices)}
        choices={[
          ['false', 'are made, and paid at once'],
          ['true', 'are not made'],
        ]}
      />
      <Choice
        {...at}
        name="recurrence_starts"
        label="What recurs is charged from"
        value={seller.recurrence_starts}
        choices={[
          ['confirmation', 'the day of the order'],
          ['first_invoice', 'the first invoice'],
          ['activation', 'the first day it runs'],
        ]}
      />
      <Choice
        {...at}
        name="invoice_sections"
        label="Lines of documents"
        value={seller.invoice_sections}
        choices={[
          ['none', 'stand in one list'],
          ['subscription', 'stand below the name of their subscription'],
          ['purchase_order', 'stand below their purchase order'],
        ]}
      />
      <TextField
        {...at}
        name="payment_terms_days"
        label="Payment terms, in days"
        type="number"
        min={0}
        max={366}
        value={seller.payment_terms_days}
        hint={seller.payment_terms === null ? undefined : 'Not in force: terms were set by the API.'}
        isRequired
      />
      <TextField
        {...at}
        name="draft_days"
        label="Days for review"
        type="number"
        min={0}
        max={30}
        value={seller.draft_days}
        hint="So long an invoice stays a draft; 0: it is final at once."
        isRequired
      />
      <TextField
        {...at}
        name="advance_days"
        label="Days in advance"
        type="number"
        min={0}
        max={60}
        value={seller.advance_days}
        hint="So many days before a period its invoice is made; arrears come with the one after they are over."
        isRequired
      />
    </SettingsForm>
  )
}

function OrdersForm(props: SettingsProps) {
  const { seller } = props
  const at = { form: 'orders', refused: props.refused }
  return (
    <SettingsForm {...props} form="orders" title="Orders">
      <Choice
        {...at}
        name="terms_required"
        label="Terms of service are accepted"
        value={seller.terms_required}
        choices={[
          ['shop', 'with orders of the shop'],
          ['everywhere', 'with every order'],
        ]}
      />
      <TextField
        {...at}
        name="reservation_minutes"
        label="Minutes for names"
        type="number"
        min={1}
        max={10_080}
        value={seller.reservation_minutes}
        hint="So long the shop holds the names of an order that is open."
        isRequired
      />
      <TextField
        {...at}
        name="unpaid_order_days"
        label="Days for a payment"
        type="number"
        min={1}
        max={366}
        value={seller.unpaid_order_days}
        hint="So long an order waits for the money that is to come first; then it expires."
        isRequired
      />
      <Choice
        {...at}
        name="unbuilt_payments"
        label="Money for what was never built"
        value={seller.unbuilt_payments}
        choices={[
          ['balance', 'stays as the customer’s balance'],
          ['refund', 'is sent back'],
        ]}
      />
      <Choice
        {...at}
        name="mail_verification"
        label="The mail address is verified first"
        value={seller.mail_verification}
        choices={[
          ['never', 'never'],
          ['shop', 'for orders of the shop'],
          ['always', 'for every order'],
        ]}
      />
      <ReviewFields {...props} />
    </SettingsForm>
  )
}

/** Which orders a person looks at before they are built. */
function ReviewFields({ seller, refused }: SettingsProps) {
  const { review_rules: rules } = seller
  const at = { form: 'orders', refused }
  return (
    <fieldset class="wide">
      <legend>An operator looks at an order first</legend>
      <div class="sheet">
        <TextField
          {...at}
          name="review_rules.amount_from_minor"
          label={`From this amount, in the smallest unit of ${seller.currency}`}
          type="decimal"
          value={rules.amount_from_minor}
          hint="What is due at once, with tax; empty: whatever it comes to."
        />
        <TextField
          {...at}
          name="review_rules.countries"
          label="Of customers in these countries"
          value={(rules.countries ?? []).join(', ')}
          hint="Two letters each, such as DE, FR."
        />
        <Tick
          {...at}
          name="review_rules.is_first_order"
          label="If it is the first of its customer"
          isTicked={rules.is_first_order ?? false}
        />
        <Tick
          {...at}
          name="review_rules.is_mail_unverified"
          label="If the mail address of its customer is not verified"
          isTicked={rules.is_mail_unverified ?? false}
        />
      </div>
    </fieldset>
  )
}

/** How long something is kept. */
function KeptForm(props: SettingsProps) {
  const { seller } = props
  const at = { form: 'kept', refused: props.refused, type: 'number', isRequired: true } as const
  return (
    <SettingsForm {...props} form="kept" title="How long things are kept">
      <TextField
        {...at}
        name="readings_raw_days"
        label="Readings as they were read, in days"
        min={7}
        max={3650}
        value={seller.readings_raw_days}
        hint="After that they lie by hours, which hold them all."
      />
      <TextField
        {...at}
        name="readings_hourly_months"
        label="Hours of readings, in months"
        min={4}
        max={120}
        value={seller.readings_hourly_months}
        hint="What may still be billed stays longer; what was billed stays with its invoice."
      />
      <TextField
        {...at}
        name="usage_late_days"
        label="Usage events may come late, in days"
        min={1}
        max={100}
        value={seller.usage_late_days}
        hint="What its period’s invoice lacked is on the next one, marked late."
      />
      <TextField
        {...at}
        name="usage_early_seconds"
        label="Usage events may be early, in seconds"
        min={0}
        max={3600}
        value={seller.usage_early_seconds}
        hint="Clocks of other machines go ahead a little."
      />
      <TextField
        {...at}
        name="backup_retention_days"
        label="Last backups, in days"
        min={1}
        max={3660}
        value={seller.backup_retention_days}
        hint="So long the last backup of what was removed stays."
      />
    </SettingsForm>
  )
}

const announcedTitles: Readonly<Record<AnnouncedField, string>> = {
  price: 'the price',
  quantity: 'the quantity',
  product: 'the product',
  recurrence: 'how often it is billed',
}

/** What of a line customers are told of when it changes. */
function AnnouncedForm(props: SettingsProps) {
  const at = { form: 'announced', refused: props.refused }
  return (
    <SettingsForm {...props} form="announced" title="Changes that customers are told of">
      <div class="sheet wide">
        {announcedFields.map((field) => (
          <Tick
            {...at}
            name={field}
            label={`Of a line that is sold: ${announcedTitles[field]}`}
            isTicked={props.seller.announced_fields.includes(field)}
          />
        ))}
      </div>
    </SettingsForm>
  )
}

function NumbersForm(props: SettingsProps & { next: Readonly<Record<'invoice' | 'credit_note', string>> }) {
  const { invoice, credit_note: creditNote } = props.seller.number_patterns
  const at = { form: 'numbers', refused: props.refused }
  return (
    <SettingsForm {...props} form="numbers" title="Numbers">
      <TextField
        {...at}
        name="number_patterns.invoice.series"
        label="Series of invoices"
        value={invoice.series}
        isRequired
      />
      <TextField
        {...at}
        name="number_patterns.invoice.pattern"
        label="Pattern of invoices"
        value={invoice.pattern}
        hint={<Next number={props.next.invoice} />}
        isRequired
      />
      <TextField
        {...at}
        name="number_patterns.credit_note.series"
        label="Series of credit notes"
        value={creditNote.series}
        isRequired
      />
      <TextField
        {...at}
        name="number_patterns.credit_note.pattern"
        label="Pattern of credit notes"
        value={creditNote.pattern}
        hint={<Next number={props.next.credit_note} />}
        isRequired
      />
      <p class="hint wide">
        A pattern holds <code>{'{series}'}</code> and <code>{'{number}'}</code>, or{' '}
        <code>{'{number:5}'}</code> for at least five digits. With <code>{'{year}'}</code> numbers begin anew
        each year.
      </p>
    </SettingsForm>
  )
}

function Next({ number }: { number: string }) {
  return (
    <>
      The next one is <strong>{number}</strong>
    </>
  )
}
