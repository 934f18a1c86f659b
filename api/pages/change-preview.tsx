import type { Child } from 'hono/jsx'
import type { PreviewedChange } from '#db/change-preview.ts'
import { BillToCome } from './bills-to-come.tsx'
import { changeFields } from './change-fields.ts'
import type { ConsoleView } from './console-page.tsx'
import { PostForm } from './form.tsx'
import { formatAmount, formatQuantity } from './format.ts'
import { Day, Section } from './parts.tsx'
import type { ChangePage } from './subscription-change.tsx'

interface PreviewProps {
  readonly view: ConsoleView
  readonly page: ChangePage
  readonly preview: PreviewedChange
  readonly action: string
}

/** What the change would cost, computed by what bills; below it the button that makes it. */
export function ChangePreview({ view, page, preview, action }: PreviewProps) {
  const { expected, currency, creditMinor, chargeMinor, effectiveOn, direction } = preview
  return (
    <Section id="preview" title="What it costs">
      <dl class="facts wide short">
        <Fact name="Takes effect">
          <Day date={effectiveOn} />
          <div class="hint">{direction === 'upgrade' ? 'an upgrade' : 'a downgrade'}</div>
        </Fact>
        <Fact name="Credit">{formatAmount(creditMinor, currency)}</Fact>
        <Fact name="Charge">{formatAmount(chargeMinor, currency)}</Fact>
        <Fact name="Together, net">
          <strong>{formatAmount(creditMinor + chargeMinor, currency)}</strong>
        </Fact>
        <Limit preview={preview} />
      </dl>
      <h3>The first invoice on which it shows</h3>
      {expected === null ? (
        <p class="empty">It shows on none: nothing more of it is billed.</p>
      ) : (
        expected.bills.map((bill, index) => (
          <BillToCome
            view={view}
            bill={bill}
            id={`bill-${index}`}
            subscriptionIds={expected.standing.subscriptionIds}
            isOpen
          />
        ))
      )}
      <PostForm view={view} form="apply" refused={undefined} action={action} isInRow class="action-row">
        <input type="hidden" name="line" value={page.values['line']} />
        {changeFields.map((name) => (
          <input type="hidden" name={name} value={page.values[name] ?? ''} />
        ))}
        <button type="submit" class="primary">
          Apply the change
        </button>
        <span class="hint">Nothing has changed yet.</span>
      </PostForm>
    </Section>
  )
}

function Limit({ preview: { limit } }: { preview: PreviewedChange }) {
  if (limit === null) return null
  return (
    <Fact name={`Limit of the instance, ${limit.code}`}>
      {formatQuantity(limit.from)} → {formatQuantity(limit.to)}
    </Fact>
  )
}

function Fact(props: { name: string; children?: Child }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  )
}
