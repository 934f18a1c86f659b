import { randomUUID } from 'node:crypto'
import type { Child } from 'hono/jsx'
import type { ErrorCode } from '#domain/errors.ts'
import type { ConsoleView } from './console-page.tsx'

/** A form that came back: which one of its page, what was refused, and what was typed. */
export interface RefusedInput {
  readonly form: string
  readonly code: ErrorCode
  readonly detail: string
  /** What is wrong with a field, by its name. */
  readonly details: ReadonlyMap<string, string>
  readonly values: Readonly<Record<string, string>>
}

/** Which form of a page a field stands in. A name is unique in its page. */
export interface FormPlace {
  readonly form: string
  readonly refused: RefusedInput | undefined
}

/** The session's token shows that the form is ours; the key is fresh whenever the page is: sent twice is sent once. */
export function PostForm(
  props: FormPlace & {
    view: ConsoleView
    action: string
    isInRow?: boolean
    class?: string
    children?: Child
  },
) {
  return (
    <form method="post" action={props.action} class={props.class ?? (props.isInRow ? 'inline' : 'sheet')}>
      <input type="hidden" name="form_token" value={props.view.operator.formToken} />
      <input type="hidden" name="idempotency_key" value={randomUUID()} />
      {!props.isInRow && props.refused?.form === props.form && <Refusal refused={props.refused} />}
      {props.children}
    </form>
  )
}

/** A form of one button in a row of a table. `of` tells people who do not see the row which one it is. */
export function RowButton(props: { view: ConsoleView; action: string; of: string; children: string }) {
  return (
    <PostForm form={props.action} refused={undefined} view={props.view} action={props.action} isInRow>
      <button type="submit">
        {props.children}
        <span class="visually-hidden"> {props.of}</span>
      </button>
    </PostForm>
  )
}

/** Says at the head of the form what was refused, and leads to the fields; for a form in a row of a table, above the table. */
export function Refusal({ refused }: { refused: RefusedInput }) {
  return (
    <div class="banner alarm" role="alert">
      <strong>Nothing was changed.</strong> {refused.detail}{' '}
      {[...refused.details.keys()].map((name) => (
        <>
          <a href={`#${fieldId(refused.form, name)}`}>Go to the field</a>{' '}
        </>
      ))}
      <a href={`/docs/errors/${refused.code}`}>{refused.code}</a>
    </div>
  )
}

/** A form that is asked for seldom: folded until it is wanted, or came back. */
export function Folded(props: FormPlace & { title: string; children?: Child }) {
  return (
    <details id={props.form} open={props.refused?.form === props.form}>
      <summary>{props.title}</summary>
      {props.children}
    </details>
  )
}

interface FieldProps extends FormPlace {
  readonly name: string
  readonly label: string
  readonly hint?: Child
  readonly isLabelHidden?: boolean
}

function Labelled(props: FieldProps & { isWide?: boolean; children?: Child }) {
  const id = fieldId(props.form, props.name)
  const refusal = refusalOf(props)
  return (
    <span class={props.isWide ? 'field wide' : 'field'}>
      <label for={id} class={props.isLabelHidden ? 'visually-hidden' : undefined}>
        {props.label}
      </label>
      {props.children}
      {props.hint !== undefined && (
        <span class="hint" id={`${id}-hint`}>
          {props.hint}
        </span>
      )}
      {refusal !== undefined && (
        <span class="failure" id={`${id}-refusal`}>
          {refusal}
        </span>
      )}
    </span>
  )
}

type InputType = 'text' | 'number' | 'date' | 'email' | 'decimal'

/** A text of one line. `decimal` is a text for which a phone shows digits: a number field rounds and has a local comma. */
export function TextField(
  props: FieldProps & {
    type?: InputType
    value?: string | number | null | undefined
    isRequired?: boolean
    list?: string
    min?: number
    max?: number
  },
) {
  const { type = 'text' } = props
  return (
    <Labelled {...props}>
      <input
        {...described(props)}
        type={type === 'decimal' ? 'text' : type}
        inputmode={type === 'decimal' ? 'decimal' : undefined}
        value={shownValue(props, props.value)}
        min={props.min}
        max={props.max}
        list={props.list}
        maxlength={type === 'text' ? 500 : undefined}
        required={props.isRequired}
      />
    </Labelled>
  )
}

/** A text that is hidden while it is typed, and never sent back. */
export function SecretField(props: FieldProps & { isRequired?: boolean }) {
  return (
    <Labelled {...props}>
      <input
        {...described(props)}
        type="password"
        autocomplete="off"
        maxlength={8192}
        required={props.isRequired}
      />
    </Labelled>
  )
}

/** A text of several lines. */
export function TextArea(
  props: FieldProps & { value: string | null; isRequired?: boolean; greatestLength?: number },
) {
  return (
    <Labelled {...props} isWide>
      <textarea
        {...described(props)}
        rows={4}
        maxlength={props.greatestLength ?? 1000}
        required={props.isRequired}
      >
        {shownValue(props, props.value)}
      </textarea>
    </Labelled>
  )
}

/** One of a few. */
export function Choice(
  props: FieldProps & { value?: string; choices: readonly (readonly [value: string, title: string])[] },
) {
  const chosen = shownValue(props, props.value)
  return (
    <Labelled {...props}>
      <select {...described(props)}>
        {props.choices.map(([value, title]) => (
          <option value={value} selected={value === chosen}>
            {title}
          </option>
        ))}
      </select>
    </Labelled>
  )
}

/** Yes or no. A box that is not ticked sends nothing: its reader takes that as no. */
export function Tick(props: FieldProps & { isTicked: boolean }) {
  const wasTyped = props.refused?.form === props.form
  const isTicked = wasTyped ? props.refused?.values[props.name] === 'true' : props.isTicked
  const id = fieldId(props.form, props.name)
  return (
    <span class="tick">
      <input {...described(props)} type="checkbox" value="true" checked={isTicked} />
      <label for={id}>{props.label}</label>
      {props.hint !== undefined && (
        <span class="hint" id={`${id}-hint`}>
          {props.hint}
        </span>
      )}
    </span>
  )
}

function described(props: FieldProps) {
  const id = fieldId(props.form, props.name)
  const isRefused = refusalOf(props) !== undefined
  const notes = [...(isRefused ? [`${id}-refusal`] : []), ...(props.hint === undefined ? [] : [`${id}-hint`])]
  return {
    id,
    name: props.name,
    'aria-invalid': isRefused ? ('true' as const) : undefined,
    'aria-describedby': notes.length === 0 ? undefined : notes.join(' '),
  }
}

function shownValue(props: FieldProps, value: string | number | null | undefined): string | undefined {
  if (props.refused?.form === props.form) return props.refused.values[props.name] ?? ''
  return value === null || value === undefined ? undefined : String(value)
}

function refusalOf({ form, name, refused }: FieldProps): string | undefined {
  return refused?.form === form ? refused.details.get(name) : undefined
}

function fieldId(form: string, name: string): string {
  return `${form}-${name.replaceAll('.', '-')}`
}
