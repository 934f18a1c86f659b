import { BusinessError } from '#domain/errors.ts'
import { decimalAmount } from '#domain/money.ts'
import { spendEffects } from '#domain/spend.ts'
import type { Frame } from '../frame.ts'
import { readForm, type Values } from '../pages/sent-form.ts'
import { alertsText, readCapForm } from '../schemas/spend-cap.ts'
import type { OwnSubscription } from './own.ts'
import { portalPage, type PortalView } from './portal-page.tsx'
import { subscriptionBody } from './subscription.tsx'

/** A cap that was sent and is none: what was typed, and whether it is its alerts that are wrong. */
export interface RefusedCap {
  readonly values: Values
  readonly isOfAlerts: boolean
}

/** What a customer says that usage may cost; an empty amount takes it away. Said twice, it is the same. */
export function registerPortalSpend(frame: Frame): void {
  const path = '/portal/subscriptions/:id/spend-cap'
  portalPage(frame, { method: 'post', path }, async (own, view, ctx) => {
    const id = ctx.req.param('id') ?? ''
    const values = await readForm(ctx)
    const { row } = await own.subscription(id)
    try {
      await own.setSpendCap(id, readCap(values, row.currency))
      return ctx.redirect(`/portal/subscriptions/${id}#spend-title`, 303)
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error
      ctx.status(422)
      const isOfAlerts = error.fields.every(({ pointer }) => pointer === '/alerts')
      return await subscriptionBody(own, view, { id, refusedCap: { values, isOfAlerts } })
    }
  })
}

function readCap({ amount = '', effect, alerts }: Values, currency: string) {
  if (amount.trim() === '') return null
  return readCapForm({ amount: amount.trim(), effect, alerts }, { setBy: 'customer', currency })
}

interface SpendProps {
  readonly content: OwnSubscription
  readonly view: PortalView
  readonly refusedCap: RefusedCap | undefined
}

/** Where something is metered: the caps that there are, and a form for the customer's own. */
export function Spend(props: SpendProps) {
  const { content, view } = props
  const { row, caps, lines } = content
  const { words, formats } = view.speech
  const isMetered = lines.some(({ billing_type: type }) => type === 'usage')
  if (row.phase === 'ended' || (!isMetered && caps.length === 0)) return null
  const own = ownCap(content)
  const sellers = caps.find(({ set_by: setBy, effect }) => setBy === 'operator' && effect === 'stop')
  const amountOf = (minor: number) => formats.amount(minor, row.currency)
  return (
    <section aria-labelledby="spend-title">
      <h2 class="section-title" id="spend-title">
        {words.mayCost}
      </h2>
      <p>
        {own === undefined
          ? words.noCap
          : (own.effect === 'stop' ? words.ownCapStops : words.ownCap)(amountOf(own.amount_minor))}
      </p>
      {sellers !== undefined && (
        <p>{words.sellerCapStops(view.sellerName, amountOf(sellers.amount_minor))}</p>
      )}
      <CapForm {...props} />
    </section>
  )
}

function ownCap({ caps }: OwnSubscription) {
  return caps.find(({ set_by: setBy }) => setBy === 'customer')
}

function CapForm({ content, view, refusedCap }: SpendProps) {
  const { words } = view.speech
  const { currency } = content.row
  const own = ownCap(content)
  const amount = own === undefined ? '' : decimalAmount(own.amount_minor, currency)
  const chosen = refusedCap?.values['effect'] ?? own?.effect ?? 'alert'
  return (
    <details open={refusedCap !== undefined}>
      <summary>{words.setCap}</summary>
      <form method="post" action={`/portal/subscriptions/${content.publicId}/spend-cap`} class="sheet">
        <input type="hidden" name="form_token" value={view.formToken} />
        {refusedCap !== undefined && (
          <p class="banner alarm" role="alert">
            {refusedCap.isOfAlerts ? words.alertsRefused : words.capRefused}
          </p>
        )}
        <div class="field">
          <label for="cap-amount">{words.capAmount(currency)}</label>
          <input
            id="cap-amount"
            name="amount"
            inputmode="decimal"
            autocomplete="off"
            aria-describedby="cap-hint"
            aria-invalid={refusedCap?.isOfAlerts === false ? 'true' : undefined}
            value={refusedCap?.values['amount'] ?? amount}
          />
          <div class="hint" id="cap-hint">
            {words.capEmpty}
          </div>
        </div>
        <div class="field">
          <label for="cap-effect">{words.atTheCap}</label>
          <select id="cap-effect" name="effect">
            {spendEffects.map((effect) => (
              <option value={effect} selected={effect === chosen}>
                {words.capEffects[effect]}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="cap-alerts">{words.alertsOfCap}</label>
          <input
            id="cap-alerts"
            name="alerts"
            autocomplete="off"
            aria-describedby="cap-alerts-hint"
            aria-invalid={refusedCap?.isOfAlerts === true ? 'true' : undefined}
            value={refusedCap?.values['alerts'] ?? alertsText(own, currency)}
          />
          <div class="hint" id="cap-alerts-hint">
            {words.alertsOfCapHint}
          </div>
        </div>
        <div class="buttons">
          <button type="submit">{words.saveCap}</button>
        </div>
      </form>
    </details>
  )
}
