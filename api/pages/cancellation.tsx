import type { Child } from 'hono/jsx'
import { cancelReasonNames, cancelReasons } from '#domain/cancellation.ts'
import { previewCancellation, type CancellationDates } from '#db/read/cancellation.ts'
import { refuseCommand } from '#domain/subscription.ts'
import type { Frame } from '../frame.ts'
import { standingOf } from '../subscription-commands.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { formatDate, plural } from './format.ts'
import { readSubscriptionContent, type SubscriptionContent } from './subscription-content.ts'
import { ActionForm, Field, type RefusedForm } from './subscription-form.tsx'

/** Cancelling has a page of its own: its effect is read before anything is pressed. */
export function registerCancellation(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/subscriptions/:id/cancel', permission: 'subscriptions:read' },
    async (view, ctx) => {
      const content = await readSubscriptionContent(frame.deps.db, ctx.req.param('id') ?? '')
      return await cancellationBody(frame, view, content)
    },
  )
}

/** @throws `action_not_allowed`, `subscription_ended` */
export async function cancellationBody(
  frame: Frame,
  view: ConsoleView,
  content: SubscriptionContent,
  refused?: RefusedForm,
): Promise<ConsoleBody> {
  const refusal = refuseCommand(standingOf(content.row), 'cancel')
  if (refusal && !refused) throw refusal
  const dates = await previewCancellation(frame.deps.db, content.row.id, view.now)
  return {
    title: `Cancel ${content.row.title}`,
    current: 'subscriptions',
    children: <Cancellation view={view} content={content} dates={dates} refused={refused} />,
  }
}

function Cancellation(props: {
  view: ConsoleView
  content: SubscriptionContent
  dates: CancellationDates
  refused: RefusedForm | undefined
}) {
  const { view, content, dates, refused } = props
  const { row, publicId } = content
  const isActive = row.activated_at !== null
  return (
    <>
      <p class="trail">
        <a href={`/subscriptions/${publicId}`}>← {row.title}</a>
      </p>
      <h1>Cancel {row.title}</h1>
      {refused && (
        <div class="banner alarm" role="alert">
          <strong>Nothing was changed.</strong> {refused.detail}
        </div>
      )}
      <ActionForm view={view} publicId={publicId} action="cancel" class="card">
        <fieldset>
          <legend>When</legend>
          {isActive && (
            <Choice
              value="period_end"
              title={`At the end of the period, ${formatDate(dates.periodEnd)}`}
              isChosen
            >
              <li>
                It runs until then; the last invoice of that day holds what was metered, and nothing beyond.
              </li>
              <li>Until then the cancellation can be taken back.</li>
            </Choice>
          )}
          {isActive && (
            <Choice value="date" title="On another day">
              <li>
                <Field
                  id="cancel-ends_on"
                  name="ends_on"
                  label="First day that is not billed"
                  type="date"
                  min={dates.today}
                  isOptional
                  refused={refused}
                />
              </li>
              <li>Days paid beyond it come back on the last invoice.</li>
            </Choice>
          )}
          <Choice value="now" title={`Now, ${formatDate(dates.today)}`} isChosen={!isActive}>
            <li>
              {isActive
                ? 'A last invoice is made today: metered usage to the end, less a credit for days paid and not served.'
                : 'The build is stopped and undone, nothing is billed.'}
            </li>
            <li>This cannot be taken back.</li>
          </Choice>
        </fieldset>
        {isActive && (
          <Field
            id="cancel-service_ends_on"
            name="service_ends_on"
            label="Keep it running unbilled until; empty: it stops when billing ends"
            type="date"
            min={dates.today}
            isOptional
            refused={refused}
          />
        )}
        <WhatIsRemoved content={content} />
        <span class="field">
          <label for="cancel-reason_code">Reason</label>
          <select id="cancel-reason_code" name="reason_code" required>
            {cancelReasons.map((reason) => (
              <option value={reason} selected={reason === (refused?.values['reason_code'] ?? 'other')}>
                {cancelReasonNames[reason]}
              </option>
            ))}
          </select>
        </span>
        <Field
          id="cancel-reason"
          name="reason"
          label="In your own words, for the timeline"
          refused={refused}
          value=""
        />
        <p class="buttons">
          <button type="submit" class="danger">
            Cancel the subscription
          </button>
          <a class="button" href={`/subscriptions/${publicId}`}>
            Keep it
          </a>
        </p>
      </ActionForm>
    </>
  )
}

function Choice(props: { value: string; title: string; isChosen?: boolean; children?: Child }) {
  return (
    <div class="choice">
      <label>
        <input type="radio" name="when" value={props.value} checked={props.isChosen} required /> {props.title}
      </label>
      <ul>{props.children}</ul>
    </div>
  )
}

function WhatIsRemoved({ content }: { content: SubscriptionContent }) {
  const resources = content.instances.flatMap((instance) => instance.resources)
  const removed = resources.filter((resource) => resource.kind !== 'image')
  if (removed.length === 0) return <p>Nothing is on a server that would be removed.</p>
  return (
    <>
      <p>
        When it ends, {plural(removed.length, 'resource')} are removed from the server, data included, last
        made first:
      </p>
      <ul>
        {removed.toReversed().map((resource) => (
          <li>
            {resource.kind} <code>{resource.name}</code>
          </li>
        ))}
      </ul>
    </>
  )
}
