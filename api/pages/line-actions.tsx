import type { Child } from 'hono/jsx'
import { toStandingLine } from '#db/line-standing.ts'
import type { SubscriptionLineRow } from '#db/read/subscription.ts'
import { encodeId } from '#domain/identifier.ts'
import { allowedLineActions, type LineAction } from '#domain/line.ts'
import { allowedCommands } from '#domain/subscription.ts'
import { standingOf } from '../subscription-commands.ts'
import type { ConsoleView } from './console-page.tsx'
import type { SubscriptionContent } from './subscription-content.ts'
import { ActionForm, Field, type RefusedForm } from './subscription-form.tsx'

interface LineActionsProps {
  readonly view: ConsoleView
  readonly content: SubscriptionContent
  readonly line: SubscriptionLineRow
  readonly refused: RefusedForm | undefined
}

/** What of the table of line actions can be done with a line today, each with its button; nothing where nothing can. */
export function LineActions(props: LineActionsProps) {
  const { row } = props.content
  const line = toStandingLine(props.line)
  if (line === null || !allowedCommands(standingOf(row)).includes('stopLine')) return null
  const allowed = allowedLineActions(line, row.today).filter((action) => action !== 'pause')
  if (allowed.length === 0) return null
  const id = encodeId('subscriptionLine', props.line.id)
  const isOpen = props.refused?.values['line'] === id && props.refused.action !== 'change-plan'
  return (
    <details open={isOpen}>
      <summary>
        End, move…<span class="visually-hidden"> {props.line.description}</span>
      </summary>
      {isOpen && <p class="failure">{props.refused?.detail}</p>}
      {allowed.map((action) => (
        <LineForm {...props} lineId={id} action={action} />
      ))}
    </details>
  )
}

const buttons: Readonly<Record<Exclude<LineAction, 'pause'>, { action: string; label: string }>> = {
  successor: { action: 'plan-successor', label: 'Plan a successor' },
  stop: { action: 'stop-line', label: 'Stop' },
  cancel: { action: 'cancel-line', label: 'Cancel, as if it had never begun' },
  uncancel: { action: 'uncancel-line', label: 'Bring back' },
  delay: { action: 'delay-line', label: 'Delay' },
  delete: { action: 'delete-line', label: 'Delete' },
}

function LineForm(props: LineActionsProps & { lineId: string; action: Exclude<LineAction, 'pause'> }) {
  const { view, content, lineId, line } = props
  const { action, label } = buttons[props.action]
  return (
    <ActionForm view={view} publicId={content.publicId} action={action} class="inline">
      <input type="hidden" name="line" value={lineId} />
      <Days {...props} />
      <button type="submit">
        {label}
        <span class="visually-hidden"> {line.description}</span>
      </button>
    </ActionForm>
  )
}

/** The days that an action asks for. */
function Days({ action, lineId, refused }: LineActionsProps & { lineId: string; action: LineAction }): Child {
  const day = (name: string, label: string, isOptional: boolean) => (
    <Field
      id={`${action}-${lineId}-${name}`}
      name={name}
      label={label}
      type="date"
      isOptional={isOptional}
      refused={refused}
    />
  )
  if (action === 'stop') return day('ends_on', 'First day not billed; empty: where it was billed to', true)
  if (action === 'delay') return day('starts_on', 'New first day', false)
  if (action !== 'successor') return null
  return (
    <>
      {day('starts_on', 'First day', false)}
      {day('ends_on', 'First day after it; empty: open', true)}
    </>
  )
}
