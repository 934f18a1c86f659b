import { BusinessError } from '#domain/errors.ts'
import { decimalAmount } from '#domain/money.ts'
import { spendEffects } from '#domain/spend.ts'
import type { Frame } from '../frame.ts'
import { readForm } from '../pages/sent-form.ts'
import { newSpendCapSchema, toSpendCap } from '../schemas/spend-cap.ts'
import { parse } from '../validation.ts'
import type { OwnSubscription } from './own.ts'
import { portalPage, type PortalView } from './portal-page.tsx'
import { subscriptionBody } from './subscription.tsx'

/** What a customer says that usage may cost; an empty amount takes it away. Said twice, it is the same. */
export function registerPortalSpend(frame: Frame): void {
  const path = '/portal/subscriptions/:id/spend-cap'
  portalPage(frame, { method: 'post', path }, async (own, view, ctx) => {
    const id = ctx.req.param('id') ?? ''
    const { amount = '', effect } = await readForm(ctx)
    const { row } = await own.subscription(id)
    try {
      await own.setSpendCap(id, readCap({ amount: amount.trim(), effect }, row.currency))
      return ctx.redirect(`/portal/subscriptions/${id}#spend-title`, 303)
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error
      ctx.status(422)
      return await subscriptionBody(own, view, { id, refusedAmount: amount })
    }
  })
}

function readCap({ amount, effect }: { amount: string; effect: string | undefined }, currency: string) {
  if (amount === '') return null
  return toSpendCap(parse(newSpendCapSchema, { amount, effect }, 'body'), { setBy: 'customer', currency })
}

/** Where something is metered: the caps that there are, and a form for the customer's own. */
export function Spend(props: {
  readonly content: OwnSubscription
  readonly view: PortalView
  readonly refusedAmount: string | undefined
}) {
  const { content, view, refusedAmount } = props
  const { row, caps, lines } = content
  const { words, formats } = view.speech
  const isMetered = lines.some(({ billing_type: type }) => type === 'usage')
  if (row.phase === 'ended' || (!isMetered && caps.length === 0)) return null
  const own = caps.find(({ set_by: setBy }) => setBy === 'customer')
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
      <details open={refusedAmount !== undefined}>
        <summary>{words.setCap}</summary>
        <form method="post" action={`/portal/subscriptions/${content.publicId}/spend-cap`} class="sheet">
          <input type="hidden" name="form_token" value={view.formToken} />
          {refusedAmount !== undefined && (
            <p class="banner alarm" role="alert">
              {words.capRefused}
            </p>
          )}
          <div class="field">
            <label for="cap-amount">{words.capAmount(row.currency)}</label>
            <input
              id="cap-amount"
              name="amount"
              inputmode="decimal"
              autocomplete="off"
              aria-describedby="cap-hint"
              aria-invalid={refusedAmount === undefined ? undefined : 'true'}
              value={
                refusedAmount ?? (own === undefined ? '' : decimalAmount(own.amount_minor, row.currency))
              }
            />
            <div class="hint" id="cap-hint">
              {words.capEmpty}
            </div>
          </div>
          <div class="field">
            <label for="cap-effect">{words.atTheCap}</label>
            <select id="cap-effect" name="effect">
              {spendEffects.map((effect) => (
                <option value={effect} selected={effect === (own?.effect ?? 'alert')}>
                  {words.capEffects[effect]}
                </option>
              ))}
            </select>
          </div>
          <div class="buttons">
            <button type="submit">{words.saveCap}</button>
          </div>
        </form>
      </details>
    </section>
  )
}
