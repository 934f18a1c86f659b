import type { ConsoleView } from './console-page.tsx'
import { Moment } from './parts.tsx'
import type { SubscriptionContent } from './subscription-content.ts'
import { ActionForm, Field, type RefusedForm } from './subscription-form.tsx'

interface Props {
  readonly view: ConsoleView
  readonly content: SubscriptionContent
}

/** Each reason is lifted by itself; where none stands, what was stopped is started by one button. */
export function ResumeForms({ view, content }: Props) {
  const { publicId, suspensions } = content
  if (suspensions.length === 0)
    return (
      <ActionForm view={view} publicId={publicId} action="resume">
        <button type="submit" class="primary">
          Resume
        </button>
        <span class="hint">Starts what was stopped, with all that it holds.</span>
      </ActionForm>
    )
  return (
    <>
      {suspensions.map(({ code, reason, set_at: setAt }) => (
        <ActionForm view={view} publicId={publicId} action="resume">
          <input type="hidden" name="code" value={code} />
          <button type="submit" class="primary">
            {suspensions.length === 1 ? 'Resume' : `Lift ${code}`}
          </button>
          <span class="hint">
            Suspended for {code} since <Moment at={setAt} {...view} />: {reason}
          </span>
        </ActionForm>
      ))}
    </>
  )
}

export function SuspendForm({ view, content, refused }: Props & { refused: RefusedForm | undefined }) {
  const { publicId, row } = content
  const isSuspended = row.phase === 'suspended'
  return (
    <details id="suspend" open={refused?.action === 'suspend'}>
      <summary>{isSuspended ? 'Suspend for one reason more…' : 'Suspend…'}</summary>
      <ActionForm view={view} publicId={publicId} action="suspend">
        <p class="hint">
          {isSuspended
            ? 'It runs again only once every reason is lifted.'
            : 'Stops the containers and keeps their data. Nothing answers at its address until it is resumed.'}
        </p>
        <Field id="suspend-reason" name="reason" label="Reason, for the timeline" refused={refused} />
        <Field
          id="suspend-code"
          name="code"
          label="By which it is lifted again, such as debt"
          isOptional
          refused={refused}
        />
        <button type="submit">Suspend</button>
      </ActionForm>
    </details>
  )
}
