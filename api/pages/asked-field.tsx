import type { OrderField } from '#domain/order-field.ts'
import { Choice, SecretField, TextField, type FormPlace } from './form.tsx'

/** A field that an application declares, as its kind is filled in. */
export function AskedField(props: FormPlace & { name: string; field: OrderField }) {
  const { field, ...place } = props
  const base = {
    ...place,
    label: field.isRequired ? field.title : `${field.title}, if any`,
    ...(field.help === undefined ? {} : { hint: field.help }),
  }
  const none = field.isRequired ? [] : [['', '–'] as const]
  switch (field.kind) {
    case 'secret':
      return <SecretField {...base} isRequired={field.isRequired} />
    case 'choice':
      return <Choice {...base} choices={[...none, ...field.choices.map((one) => [one, one] as const)]} />
    case 'yes_no':
      return <Choice {...base} choices={[...none, ['true', 'yes'], ['false', 'no']]} />
    case 'number':
      return <TextField {...base} type="decimal" isRequired={field.isRequired} />
    case 'email':
      return <TextField {...base} type="email" isRequired={field.isRequired} />
    case 'text':
      return <TextField {...base} isRequired={field.isRequired} />
    default:
      return null
  }
}
