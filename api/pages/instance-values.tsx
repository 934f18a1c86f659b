import { valuesNamedBy } from '#domain/instance-value.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { recordValue } from '../routes/instance-values.ts'
import { instanceValueParams, newInstanceValueSchema } from '../schemas/instance-value.ts'
import { parse } from '../validation.ts'
import type { ConsoleView } from './console-page.tsx'
import { Choice, PostForm, TextField, type RefusedInput } from './form.tsx'
import { formatQuantity } from './format.ts'
import { Day, Empty, Moment, Section, Table } from './parts.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import { readSubscriptionContent, type SubscriptionContent } from './subscription-content.ts'
import { subscriptionBody } from './subscription.tsx'

const form = 'value'

export function registerInstanceValueForm(frame: Frame): void {
  registerRowForm(frame, {
    path: '/subscriptions/:id/record-value',
    permission: 'instances:write',
    form: () => form,
    carryOut: async (tx, { id, values, now, actor }) => {
      const { instance, code, ...said } = saidOf(values)
      const params = parse(instanceValueParams, { id: instance, code: code ?? '' }, 'body')
      const instanceId = await resolveAddress(tx, 'instance', params.id)
      const body = parse(newInstanceValueSchema, said, 'body')
      await recordValue(tx, { instanceId, code: params.code, body, actor, now })
      return `/subscriptions/${id}#values`
    },
    showAgain: async (view, id, refused) =>
      subscriptionBody(view, await readSubscriptionContent(frame.deps.db, id), { refusedValue: refused }),
  })
}

/** What is recorded of the instances; shown where a grid prices them, or something was recorded. */
export function ValuesSection(props: {
  view: ConsoleView
  content: SubscriptionContent
  refused: RefusedInput | undefined
}) {
  const { view, content } = props
  const isByGrid = content.lines.some(
    (line) => line.terms.pricing === 'grid' || valuesNamedBy(line.price).length > 0,
  )
  if (content.instances.length === 0 || (!isByGrid && content.values.length === 0)) return null
  const nameOf = new Map(content.instances.map((instance) => [instance.id, instance.name]))
  return (
    <Section id="values" title="Recorded values">
      {content.values.length === 0 ? (
        <Empty>None: price grids use what is measured, and what nobody recorded costs nothing.</Empty>
      ) : (
        <Table
          caption="What was recorded of the instances"
          head={['Value', { number: 'Is' }, 'From', 'Recorded']}
        >
          {content.values.map((value) => (
            <tr>
              <th scope="row">
                {value.code}
                <div class="hint">{nameOf.get(value.instance_id)}</div>
              </th>
              <td class="number">{formatQuantity(value.value)}</td>
              <td>
                <Day date={value.starts_on} />
              </td>
              <td>
                {value.recorded_by}
                <div class="hint">
                  <Moment at={value.recorded_at} {...view} />
                </div>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <ValueForm {...props} />
    </Section>
  )
}

function ValueForm(props: {
  view: ConsoleView
  content: SubscriptionContent
  refused: RefusedInput | undefined
}) {
  const { view, content, refused } = props
  const place = { form, refused }
  return (
    <PostForm {...place} view={view} action={`/subscriptions/${content.publicId}/record-value`}>
      <Choice
        {...place}
        name="instance"
        label="Instance"
        choices={content.instances.map(({ id, name }) => [encodeId('instance', id), name])}
      />
      <TextField {...place} name="code" label="Value" hint="Such as users or disk_gib." isRequired />
      <TextField {...place} name="value" label="Is" type="decimal" isRequired />
      <TextField {...place} name="starts_on" label="From" type="date" hint="Left out, today." />
      <button type="submit">Record</button>
    </PostForm>
  )
}
