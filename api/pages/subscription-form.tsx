import { randomUUID } from 'node:crypto'
import type { Child } from 'hono/jsx'
import type { ErrorCode } from '#domain/errors.ts'
import type { ConsoleView } from './console-page.tsx'

/** A form that came back: what was refused, where, and what was typed. */
export interface RefusedForm {
  readonly action: string
  readonly code: ErrorCode
  readonly detail: string
  /** The wrong field's element, where there is one. */
  readonly fieldId: string | undefined
  readonly values: Readonly<Record<string, string>>
}

/**
 * An action on a subscription. The session's token shows that the form is ours; the key makes sending it twice sending
 * it once, and is fresh whenever the page is.
 */
export function ActionForm(props: {
  view: ConsoleView
  publicId: string
  action: string
  class?: string
  children?: Child
}) {
  return (
    <form
      method="post"
      action={`/subscriptions/${props.publicId}/${props.action}`}
      class={props.class ?? 'action'}
    >
      <input type="hidden" name="form_token" value={props.view.operator.formToken} />
      <input type="hidden" name="idempotency_key" value={randomUUID()} />
      {props.children}
    </form>
  )
}

/** A labelled field with its refusal beside it, and what was typed before. */
export function Field(props: {
  id: string
  name: string
  label: string
  type?: string
  value?: string
  min?: string
  isLabelHidden?: boolean
  isOptional?: boolean
  refused: RefusedForm | undefined
}) {
  const isRefused = props.refused?.fieldId === props.id
  const value = isRefused ? (props.refused?.values[props.name] ?? props.value) : props.value
  return (
    <span class="field">
      <label for={props.id} class={props.isLabelHidden ? 'visually-hidden' : undefined}>
        {props.label}
      </label>
      <input
        id={props.id}
        name={props.name}
        type={props.type ?? 'text'}
        value={value}
        min={props.min}
        maxlength={props.type === 'number' ? undefined : 500}
        required={!props.isOptional}
        aria-invalid={isRefused ? 'true' : undefined}
        aria-describedby={isRefused ? `${props.id}-refusal` : undefined}
      />
      {isRefused && (
        <span class="failure" id={`${props.id}-refusal`}>
          {props.refused?.detail}
        </span>
      )}
    </span>
  )
}
