import {
  listWindowDays,
  listWindowEvents,
  listWindowReadings,
  type OpenedWindow,
  type WindowDay,
  type WindowEvent,
  type WindowReading,
} from '#db/read/usage-window.ts'
import { dateIn } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { getUsageWindow } from '../routes/usage-windows.ts'
import { dayQuery } from '../schemas/usage-window.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleView } from './console-page.tsx'
import { formatDate, formatQuantity, plural } from './format.ts'
import { Day, Empty, ExactMoment, Section, Table } from './parts.tsx'
import { UsageDays } from './usage-days.tsx'
import { UsageFilter } from './usage-filter.tsx'

/** What a billed quantity is made of: from an invoice's line to its days, and from a day to each reading. */
export function registerUsageWindowPages(frame: Frame): void {
  const { db } = frame.deps
  consolePage(
    frame,
    { method: 'get', path: '/usage-windows/:id', permission: 'usage:read' },
    async (view, ctx) => {
      const window = await getUsageWindow(db, ctx.req.param('id') ?? '')
      const days = await listWindowDays(db, window)
      return { title: 'Usage', current: 'invoices', children: <Days {...{ view, window, days }} /> }
    },
  )
  consolePage(
    frame,
    { method: 'get', path: '/usage-windows/:id/day', permission: 'usage:read' },
    async (view, ctx) => {
      const window = await getUsageWindow(db, ctx.req.param('id') ?? '')
      const { on = dateIn(window.time_zone, window.starts_at) } = parse(dayQuery, ctx.req.query(), 'query')
      const [readings, events] = await Promise.all([
        listWindowReadings(db, window, on),
        listWindowEvents(db, window, on),
      ])
      return {
        title: `Usage on ${formatDate(on)}`,
        current: 'invoices',
        children: <OneDay {...{ view, window, on, readings, events }} />,
      }
    },
  )
}

interface WindowProps {
  readonly view: ConsoleView
  readonly window: OpenedWindow
}

function pathOf(window: OpenedWindow): string {
  return `/usage-windows/${encodeId('usageWindow', window.id)}`
}

function csvPathOf(window: OpenedWindow): string {
  const subscription = encodeId('subscription', window.subscription_id)
  return `/v1/subscriptions/${subscription}/usage/readings.csv?window=${encodeId('usageWindow', window.id)}`
}

function Days({ view, window, days }: WindowProps & { days: readonly WindowDay[] }) {
  return (
    <>
      <p class="trail">
        <a href={`/invoices/${encodeId('invoice', window.invoice_id)}`}>
          ← Invoice {window.invoice_number ?? ''}
        </a>
      </p>
      <h1>
        {window.description}: {formatQuantity(window.quantity)} {window.unit}
      </h1>
      <Facts view={view} window={window} />
      <UsageFilter filter={window.usage_filter} />
      <p>
        <a href={csvPathOf(window)}>All readings and events as CSV</a>
      </p>
      <Section id="days" title="Day by day">
        {days.length === 0 ? (
          <Empty>Nothing was read or reported, or it is not kept any more.</Empty>
        ) : (
          <UsageDays
            caption="Days of this quantity"
            unit={window.unit}
            days={days}
            pathOf={(on) => `${pathOf(window)}/day?on=${on}`}
          />
        )}
      </Section>
    </>
  )
}

function Facts({ view, window }: WindowProps) {
  return (
    <p>
      Metric {window.metric}, after <ExactMoment at={window.starts_at} timeZone={view.timeZone} /> up to{' '}
      <ExactMoment at={window.ends_at} timeZone={view.timeZone} />. When it was billed there were{' '}
      {plural(window.reading_count, 'reading')} and {plural(window.event_count, 'reported event')}.
      {window.is_late && ' It came after this time was billed: the readings are those of the whole time.'}
      {window.is_pending && ' It could not be read up to its end: what is missing comes on a later invoice.'}
    </p>
  )
}

interface DayProps extends WindowProps {
  readonly on: string
  readonly readings: readonly WindowReading[]
  readonly events: readonly WindowEvent[]
}

function OneDay({ view, window, on, readings, events }: DayProps) {
  return (
    <>
      <p class="trail">
        <a href={pathOf(window)}>← {window.description}</a>
      </p>
      <h1>
        {window.description} on <Day date={on} />
      </h1>
      <Section id="readings" title={plural(readings.length, 'reading')}>
        {readings.length === 0 ? (
          <Empty>Nothing was read on this day.</Empty>
        ) : (
          <Table
            caption="Readings"
            head={['Read', 'Of', { number: 'Value' }, { number: `Grown, ${window.unit}` }]}
          >
            {readings.map((reading) => (
              <tr>
                <th scope="row">
                  <ExactMoment at={reading.read_at} timeZone={view.timeZone} />
                </th>
                <td>
                  {reading.series}
                  {reading.is_opening && ', where counting begins'}
                </td>
                <td class="number">
                  {formatQuantity(reading.value)} {reading.unit}
                </td>
                <td class="number">{reading.counted === null ? '–' : formatQuantity(reading.counted)}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
      <Events view={view} events={events} />
    </>
  )
}

function Events({ view, events }: { view: ConsoleView; events: readonly WindowEvent[] }) {
  if (events.length === 0) return null
  return (
    <Section id="events" title={plural(events.length, 'reported event')}>
      <Table caption="Reported events" head={['Used', 'Source', 'Id', { number: 'Quantity' }, 'Received']}>
        {events.map((event) => (
          <tr>
            <th scope="row">
              <ExactMoment at={event.occurred_at} timeZone={view.timeZone} />
            </th>
            <td>{event.source}</td>
            <td>{event.event_id}</td>
            <td class="number">
              {formatQuantity(event.quantity)} {event.unit}
            </td>
            <td>
              <ExactMoment at={event.received_at} timeZone={view.timeZone} />
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}
