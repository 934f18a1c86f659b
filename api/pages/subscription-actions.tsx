import { intervalUnits } from '#domain/calendar.ts'
import { allowedCommands } from '#domain/subscription.ts'
import { standingOf } from '../subscription-commands.ts'
import { TermForm, TransferForm } from './agreement-forms.tsx'
import type { ConsoleView } from './console-page.tsx'
import { Day, Empty, Moment, Section } from './parts.tsx'
import { RestoreForm } from './restore-form.tsx'
import type { SubscriptionContent } from './subscription-content.ts'
import { ActionForm, Field, type RefusedForm } from './subscription-form.tsx'
import { ResumeForms, SuspendForm } from './suspension-forms.tsx'

/** What can be asked of the subscription now; what cannot is not offered. */
export function ActionsSection(props: {
  view: ConsoleView
  content: SubscriptionContent
  refused: RefusedForm | undefined
}) {
  const { view, content, refused } = props
  const { row, publicId } = content
  const allowed = allowedCommands(standingOf(row))
  const form = { view, publicId }
  return (
    <Section id="actions" title="Actions" isLive>
      {allowed.includes('uncancel') && (
        <ActionForm {...form} action="uncancel">
          <button type="submit" class="primary">
            Take the cancellation back
          </button>
          {row.ends_on !== null && (
            <span class="hint">
              Possible until <Day date={row.ends_on} />. Everything goes on as if it had not been cancelled.
            </span>
          )}
        </ActionForm>
      )}
      {allowed.includes('resume') && <ResumeForms view={view} content={content} />}
      {allowed.includes('retryBuild') && row.phase !== 'building' && row.phase !== 'unbuilding' && (
        <ActionForm {...form} action="retry-build">
          <button type="submit" class="primary">
            Try again
          </button>
          <span class="hint">Its task says what could not be done. Remove the cause first.</span>
        </ActionForm>
      )}
      {allowed.includes('unpause') && (
        <ActionForm {...form} action="unpause">
          <button type="submit">Withdraw the planned pause</button>
        </ActionForm>
      )}
      {allowed.includes('pause') && <PauseForm {...form} refused={refused} />}
      {allowed.includes('setRecurrence') && (
        <details id="set-recurrence" open={refused?.action === 'set-recurrence'}>
          <summary>Bill everything in one rhythm…</summary>
          <ActionForm {...form} action="set-recurrence">
            <p class="hint">Each line takes it over from its next period on.</p>
            <Field
              id="set-recurrence-count"
              name="count"
              label="Every"
              type="number"
              min="1"
              value="1"
              refused={refused}
            />
            <span class="field">
              <label for="set-recurrence-unit">Counted in</label>
              <select id="set-recurrence-unit" name="unit">
                {intervalUnits.map((unit) => (
                  <option value={unit} selected={unit === 'quarter'}>
                    {unit.replaceAll('_', ' ')}
                  </option>
                ))}
              </select>
            </span>
            <button type="submit">Bill it so</button>
          </ActionForm>
        </details>
      )}
      {allowed.includes('setTerm') && <TermForm {...form} refused={refused} />}
      {allowed.includes('transfer') && <TransferForm {...form} refused={refused} lines={content.lines} />}
      {allowed.includes('restore') && content.restorable.length > 0 && (
        <RestoreForm {...form} refused={refused} backups={content.restorable} />
      )}
      {allowed.includes('suspend') && <SuspendForm view={view} content={content} refused={refused} />}
      {allowed.includes('cancel') && (
        <p>
          <a class="button" href={`/subscriptions/${publicId}/cancel`}>
            Cancel…
          </a>{' '}
          <span class="hint">Shows what happens first.</span>
        </p>
      )}
      {allowed.length === 0 && <NothingToDo {...form} content={content} />}
    </Section>
  )
}

/** A pause stops billing, too; to suspend does not. */
function PauseForm(props: { view: ConsoleView; publicId: string; refused: RefusedForm | undefined }) {
  const { view, publicId, refused } = props
  return (
    <details id="pause" open={refused?.action === 'pause'}>
      <summary>Pause…</summary>
      <ActionForm view={view} publicId={publicId} action="pause">
        <p class="hint">
          Stops service and billing for some days, and keeps the data. What was paid for these days comes back
          on the next invoice.
        </p>
        <Field
          id="pause-starts_on"
          name="starts_on"
          label="First day; empty: today"
          type="date"
          isOptional
          refused={refused}
        />
        <Field
          id="pause-ends_on"
          name="ends_on"
          label="First day after it; empty: until it is resumed"
          type="date"
          isOptional
          refused={refused}
        />
        <Field
          id="pause-reason"
          name="reason"
          label="Reason, for the timeline"
          isOptional
          refused={refused}
        />
        <button type="submit">Pause</button>
      </ActionForm>
    </details>
  )
}

function NothingToDo(props: { view: ConsoleView; publicId: string; content: SubscriptionContent }) {
  const { content, ...form } = props
  if (content.row.phase !== 'ended')
    return <Empty>Nothing can be asked of it while it is {content.row.phase}.</Empty>
  const kept = content.backups.find(({ state, reason }) => state === 'kept' && reason === 'last')
  if (kept?.expires_at == null) return <Empty>It has ended. Place a new order to sell it again.</Empty>
  return (
    <ActionForm {...form} action="reinstate">
      <button type="submit" class="primary">
        Reinstate
      </button>
      <span class="hint">
        Possible until <Moment at={kept.expires_at} {...form.view} />. It goes on as a new subscription with
        its lines, prices and data.
      </span>
    </ActionForm>
  )
}
