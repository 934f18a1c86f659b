import { setSpendCap, removeSpendCap, type SpendCapRow } from '#db/spend-cap.ts'
import { getSubscription } from '#db/subscription.ts'
import { decimalAmount } from '#domain/money.ts'
import { sayAlert } from '#domain/spend.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { keepEarlyInvoice } from '../routes/spend-caps.ts'
import { alertsText, earlyInvoiceSchema, readCapForm } from '../schemas/spend-cap.ts'
import { parse } from '../validation.ts'
import type { ConsoleView } from './console-page.tsx'
import { Choice, Folded, PostForm, TextField, type RefusedInput } from './form.tsx'
import { formatAmount } from './format.ts'
import { Empty, Moment, Section, Table } from './parts.tsx'
import { knownOf, registerRowForm } from './row-form.ts'
import { readSubscriptionContent, type SubscriptionContent } from './subscription-content.ts'
import { subscriptionBody } from './subscription.tsx'

const capForm = 'spend-cap'
const earlyForm = 'early-invoice'

/** An empty amount takes away what was said. */
export function registerSpendCapForms(frame: Frame): void {
  const showAgain = async (view: ConsoleView, id: string, refused: RefusedInput) =>
    subscriptionBody(view, await readSubscriptionContent(frame.deps.db, id), { refusedSpend: refused })
  registerRowForm(frame, {
    path: '/subscriptions/:id/spend-cap',
    permission: 'subscriptions:write',
    form: () => capForm,
    carryOut: async (tx, { id, values, now, actor }) => {
      const subscriptionId = await resolveAddress(tx, 'subscription', id)
      const { currency } = await getSubscription(tx, subscriptionId)
      const { amount, effect, alerts } = knownOf(values)
      if (amount == null) await removeSpendCap(tx, subscriptionId, { setBy: 'operator', actor, now })
      else {
        const cap = readCapForm({ amount, effect, alerts }, { setBy: 'operator', currency })
        await setSpendCap(tx, subscriptionId, { cap, actor, now })
      }
      return `/subscriptions/${id}#spend`
    },
    showAgain,
  })
  registerRowForm(frame, {
    path: '/subscriptions/:id/early-invoice',
    permission: 'subscriptions:write',
    form: () => earlyForm,
    carryOut: async (tx, { id, values }) => {
      const subscriptionId = await resolveAddress(tx, 'subscription', id)
      const body = parse(earlyInvoiceSchema, { amount: knownOf(values)['amount'] ?? null }, 'body')
      await keepEarlyInvoice(tx, subscriptionId, body)
      return `/subscriptions/${id}#spend`
    },
    showAgain,
  })
}

/** What usage costs in this period, and what it may cost. Where nothing is metered there is nothing to cap. */
export function SpendSection(props: {
  view: ConsoleView
  content: SubscriptionContent
  refused: RefusedInput | undefined
}) {
  const { view, content } = props
  const { present, caps, row } = content
  if (present === null || (present.lines.length === 0 && caps.length === 0)) return null
  return (
    <Section id="spend" title="What usage may cost" isLive>
      <p>Usage costs {formatAmount(present.costMinor, row.currency)} in this period so far.</p>
      {caps.length === 0 ? (
        <Empty>No cap: usage is billed, however much it is.</Empty>
      ) : (
        <Table caption="Caps" head={['Set by', { number: 'A period' }, 'At the cap', 'Told at', 'Now']}>
          {caps.map((cap) => (
            <CapRow view={view} cap={cap} currency={row.currency} />
          ))}
        </Table>
      )}
      <CapForms {...props} />
    </Section>
  )
}

function CapRow({ view, cap, currency }: { view: ConsoleView; cap: SpendCapRow; currency: string }) {
  return (
    <tr>
      <th scope="row">{cap.set_by}</th>
      <td class="number">{formatAmount(cap.amount_minor, currency)}</td>
      <td>{cap.effect === 'stop' ? 'stops' : 'tells'}</td>
      <td>{cap.alerts.map((alert) => sayAlert(alert, currency)).join(', ')}</td>
      <td>
        {cap.held_since === null ? (
          'below it, or only told'
        ) : (
          <>
            held since <Moment at={cap.held_since} {...view} />
          </>
        )}
      </td>
    </tr>
  )
}

function CapForms(props: {
  view: ConsoleView
  content: SubscriptionContent
  refused: RefusedInput | undefined
}) {
  const { view, content, refused } = props
  const { currency, early_invoice_minor: earlyMinor } = content.row
  const own = content.caps.find(({ set_by }) => set_by === 'operator')
  const amountOf = (minor: number | null | undefined) => (minor == null ? '' : decimalAmount(minor, currency))
  const action = `/subscriptions/${content.publicId}`
  const cap = { form: capForm, refused }
  const early = { form: earlyForm, refused }
  return (
    <>
      <Folded {...cap} title="Set a cap…">
        <PostForm {...cap} view={view} action={`${action}/spend-cap`}>
          <TextField
            {...cap}
            name="amount"
            label={`A period, in ${currency}`}
            type="decimal"
            value={amountOf(own?.amount_minor)}
            hint="Empty: none."
          />
          <Choice
            {...cap}
            name="effect"
            label="At the cap"
            value={own?.effect ?? 'alert'}
            choices={[
              ['alert', 'tell of it'],
              ['stop', 'stop the instances'],
            ]}
          />
          <TextField
            {...cap}
            name="alerts"
            label="Told at"
            value={alertsText(own, currency)}
            hint={`Shares of the cap, or amounts in ${currency}: 80%, 45.00. Empty: not told.`}
          />
          <button type="submit">Set the cap</button>
        </PostForm>
      </Folded>
      <Folded {...early} title="Invoice usage early…">
        <PostForm {...early} view={view} action={`${action}/early-invoice`}>
          <TextField
            {...early}
            name="amount"
            label={`Once so much is not billed, in ${currency}`}
            type="decimal"
            value={amountOf(earlyMinor)}
            hint="Empty: with its period only."
          />
          <button type="submit">Set</button>
        </PostForm>
      </Folded>
    </>
  )
}
