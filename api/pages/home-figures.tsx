import type { Child } from 'hono/jsx'
import type { Figures } from '#db/read/home.ts'
import { formatAmount } from './format.ts'

export function FiguresRow({ figures }: { figures: Figures }) {
  const { done = 0, failed = 0, undone = 0, running = 0, planned = 0 } = figures.buildsToday
  const parts = [
    done > 0 && `${done} done`,
    running > 0 && `${running} running`,
    planned > 0 && `${planned} queued`,
    failed + undone > 0 && `${failed + undone} failed`,
  ].filter((part) => part !== false)
  return (
    <section id="figures" aria-label="Figures" data-live>
      <dl class="figures">
        <Figure
          name="Active subscriptions"
          value={figures.activeSubscriptions.toLocaleString('en')}
          note={
            figures.testSubscriptions > 0
              ? `and ${figures.testSubscriptions.toLocaleString('en')} on test clocks`
              : 'none on test clocks'
          }
        />
        <Figure
          name="Builds today"
          value={(done + failed + undone + running + planned).toLocaleString('en')}
          note={parts.length > 0 ? parts.join(', ') : 'none yet'}
        />
        <Figure
          name="Invoiced this month"
          value={
            figures.invoicedThisMonth.length === 0
              ? 'Nothing yet'
              : figures.invoicedThisMonth.map((sum) => (
                  <span class="amount">{formatAmount(sum.totalMinor, sum.currency)}</span>
                ))
          }
          note="invoices less credit notes, without test clocks"
        />
      </dl>
    </section>
  )
}

function Figure(props: { name: string; value: Child; note: string }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class="value">{props.value}</dd>
      <dd class="hint">{props.note}</dd>
    </div>
  )
}
