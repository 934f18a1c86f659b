import type { WindowDay } from '#db/read/usage-window.ts'
import { formatQuantity } from './format.ts'
import { Day, Table } from './parts.tsx'

interface UsageDaysProps {
  readonly caption: string
  readonly unit: string
  readonly days: readonly WindowDay[]
  /** Where a day is opened. */
  readonly pathOf: (on: string) => string
}

/** A billed quantity day by day, of ours and of a supplier alike; each leads to its readings. */
export function UsageDays({ caption, unit, days, pathOf }: UsageDaysProps) {
  return (
    <Table
      caption={caption}
      head={['Day', { number: 'Readings' }, { number: 'Reported' }, { number: `Grown, ${unit}` }]}
    >
      {days.map((day) => (
        <tr>
          <th scope="row">
            <a href={pathOf(day.on)}>
              <Day date={day.on} />
            </a>
          </th>
          <td class="number">{day.readings}</td>
          <td class="number">{day.events}</td>
          <td class="number">{day.counted === null ? '–' : formatQuantity(day.counted)}</td>
        </tr>
      ))}
    </Table>
  )
}
