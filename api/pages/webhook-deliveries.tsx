import { eventIdOf } from '#db/read/event-content.ts'
import type { DeliveryRow } from '#db/read/webhook.ts'
import type { ConsoleView } from './console-page.tsx'
import { PostForm, TextField } from './form.tsx'
import { Empty, Moment, State, Table } from './parts.tsx'

interface LogProps {
  readonly view: ConsoleView
  readonly rows: readonly DeliveryRow[]
  /** Where a delivery is asked for once more. */
  readonly action: string
}

/** What was posted to a webhook, each with its last answer. */
export function DeliveryLog({ view, rows, action }: LogProps) {
  if (rows.length === 0) return <Empty>Nothing was posted yet.</Empty>
  return (
    <Table caption="Deliveries, newest event first" head={['Event', 'State', 'Last answer', 'Ask']}>
      {rows.map((row) => (
        <Delivery view={view} row={row} action={action} />
      ))}
    </Table>
  )
}

function Delivery({ view, row, action }: Omit<LogProps, 'rows'> & { readonly row: DeliveryRow }) {
  const event = eventIdOf(row)
  const [last] = row.attempts
  return (
    <tr>
      <th scope="row">
        {row.kind}
        <div class="hint">
          <code>{event}</code> <Moment at={row.occurred_at} {...view} />
        </div>
      </th>
      <td>
        <State state={row.state}>{row.state.replaceAll('_', ' ')}</State>
        {row.failures > 0 && <div class="hint">{row.failures} failed</div>}
      </td>
      <td>
        {last === undefined ? 'not posted yet' : (last.status ?? last.failure)}
        {last !== undefined && (
          <div class="hint">
            in {last.duration_ms} ms, <Moment at={last.at} {...view} /> {last.answer}
          </div>
        )}
      </td>
      <td>
        <PostForm form={event} refused={undefined} view={view} action={action} isInRow>
          <input type="hidden" name="event" value={event} />
          <button type="submit">
            Once more<span class="visually-hidden"> {event}</span>
          </button>
        </PostForm>
      </td>
    </tr>
  )
}

/** Of a time, when a receiver has lost what it was told. */
export function RedeliverForm({ view, action }: { view: ConsoleView; action: string }) {
  const at = { form: 'range', refused: undefined }
  return (
    <PostForm {...at} view={view} action={action}>
      <TextField {...at} name="from" label="All from" hint="Such as 2026-03-01T00:00:00Z." isRequired />
      <TextField {...at} name="until" label="Until" hint="Empty: now." />
      <div class="buttons">
        <button type="submit">Post them once more</button>
      </div>
    </PostForm>
  )
}
