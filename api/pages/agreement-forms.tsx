import { encodeId } from '#domain/identifier.ts'
import { intervalUnits } from '#domain/calendar.ts'
import type { ConsoleView } from './console-page.tsx'
import type { SubscriptionContent } from './subscription-content.ts'
import { ActionForm, Field, type RefusedForm } from './subscription-form.tsx'

interface FormProps {
  readonly view: ConsoleView
  readonly publicId: string
  readonly refused: RefusedForm | undefined
}

/** For how long it is agreed, and what follows. */
export function TermForm({ view, publicId, refused }: FormProps) {
  return (
    <details id="set-term" open={refused?.action === 'set-term'}>
      <summary>Agree a fixed term…</summary>
      <ActionForm view={view} publicId={publicId} action="set-term">
        <p class="hint">It begins with the subscription; by itself it is renewed or ends after it.</p>
        <Length name="length" label="Term" unit="year" refused={refused} />
        <Length name="notice" label="Notice before its end; empty: a day" unit="month" isOptional refused={refused} />
        <span class="field">
          <label for="set-term-renewal">Afterwards</label>
          <select id="set-term-renewal" name="renewal">
            <option value="renew">it is renewed</option>
            <option value="end">it ends</option>
          </select>
        </span>
        <button type="submit">Agree it</button>
      </ActionForm>
    </details>
  )
} // prettier-ignore

function Length(props: {
  name: 'length' | 'notice'
  label: string
  unit: string
  isOptional?: boolean
  refused: RefusedForm | undefined
}) {
  const { name, label, isOptional = false, refused } = props
  const id = `set-term-${name}`
  return (
    <>
      <Field
        id={id}
        name={`${name}_count`}
        label={label}
        type="number"
        min="1"
        value={isOptional ? '' : '1'}
        isOptional={isOptional}
        refused={refused}
      />
      <span class="field">
        <label for={`${id}-unit`}>{name === 'length' ? 'Counted in' : 'Notice counted in'}</label>
        <select id={`${id}-unit`} name={`${name}_unit`}>
          {intervalUnits.map((unit) => (
            <option value={unit} selected={unit === props.unit}>
              {unit.replaceAll('_', ' ')}
            </option>
          ))}
        </select>
      </span>
    </>
  )
}

/** A form names lengths in two fields each. */
export function toTermBody(fields: Readonly<Record<string, string>>): object {
  const lengthOf = (name: string) => ({
    count: Number(fields[`${name}_count`]),
    unit: fields[`${name}_unit`],
  })
  return {
    length: lengthOf('length'),
    ...(fields['notice_count'] ? { notice: lengthOf('notice') } : {}),
    renewal: fields['renewal'],
  }
}

/** Who has a line from a day on; what is left of its quantity stays here. */
export function TransferForm({
  view,
  publicId,
  refused,
  lines,
}: FormProps & { lines: SubscriptionContent['lines'] }) {
  return (
    <details id="transfer" open={refused?.action === 'transfer'}>
      <summary>Hand a line to another customer…</summary>
      <ActionForm view={view} publicId={publicId} action="transfer">
        <p class="hint">
          The other customer has it as an order of its own, and pays for it from that day on.
        </p>
        <span class="field">
          <label for="transfer-line">Line</label>
          <select id="transfer-line" name="line">
            {lines
              .filter(({ ends_on: endsOn }) => endsOn === null)
              .map((line) => (
                <option value={encodeId('subscriptionLine', line.id)}>{line.description}</option>
              ))}
          </select>
        </span>
        <Field id="transfer-customer" name="customer" label="Customer, by code" refused={refused} />
        <Field
          id="transfer-quantity"
          name="quantity"
          label="How much of it; empty: all"
          isOptional
          refused={refused}
        />
        <Field
          id="transfer-starts_on"
          name="starts_on"
          label="First day there; empty: today"
          type="date"
          isOptional
          refused={refused}
        />
        <button type="submit">Hand it over</button>
      </ActionForm>
    </details>
  )
}
