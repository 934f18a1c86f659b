import Big from 'big.js'
import type { DayOfUsage, PresentLine } from '#db/present-usage.ts'
import { daysIn } from '#domain/calendar.ts'
import { formatQuantity } from './format.ts'
import { Day, Table } from './parts.tsx'

const width = 480
const height = 120

interface ChartProps {
  readonly line: PresentLine
  readonly days: readonly DayOfUsage[]
  /** In words, what it shows. */
  readonly says: string
}

interface Point {
  readonly day: number
  readonly quantity: number
}

/**
 * What was used of a metric over its period: a sum as it grew, any other value as it was each day, with what is included and where the
 * period will end. The same in a table, for whoever does not see it.
 */
export function UsageChart({ line, days, says }: ChartProps) {
  const points = toPoints(line, days)
  const included = line.includedQuantity === null ? null : Number(line.includedQuantity)
  const projected = line.projection === null ? null : Number(line.projection.quantity)
  const most = Math.max(...points.map(({ quantity }) => quantity), included ?? 0, projected ?? 0)
  const length = Math.max(1, daysIn(line.period))
  const x = (day: number) => round((day / length) * width)
  const y = (quantity: number) => round(height - (most === 0 ? 0 : (quantity / most) * (height - 8)))
  const last = points.at(-1)
  return (
    <figure class="usage-chart">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${line.description}: ${says}`}>
        {included !== null && (
          <line class="included" x1="0" x2={String(width)} y1={y(included)} y2={y(included)} />
        )}
        <polyline class="used" points={points.map((at) => `${x(at.day)},${y(at.quantity)}`).join(' ')} />
        {projected !== null && last !== undefined && (
          <line
            class="projected"
            x1={x(last.day)}
            y1={y(last.quantity)}
            x2={String(width)}
            y2={y(projected)}
          />
        )}
      </svg>
      <figcaption>
        <strong>{line.description}</strong>: {says}
      </figcaption>
      <details>
        <summary>
          Day by day<span class="visually-hidden">: {line.description}</span>
        </summary>
        <Table caption={`${line.description}, day by day`} head={['Day', { number: 'Used' }]}>
          {days.map(({ date, quantity }) => (
            <tr>
              <td>
                <Day date={date} />
              </td>
              <td class="number">
                {formatQuantity(quantity)} {line.unit}
              </td>
            </tr>
          ))}
        </Table>
      </details>
    </figure>
  )
}

/** A day's usage stands at its end. */
function toPoints({ period, isSum }: PresentLine, days: readonly DayOfUsage[]): Point[] {
  let total = new Big(0)
  const points = days.map(({ date, quantity }): Point => {
    total = isSum ? total.plus(quantity) : new Big(quantity)
    return { day: daysIn({ start: period.start, end: date }) + 1, quantity: total.toNumber() }
  })
  return isSum ? [{ day: 0, quantity: 0 }, ...points] : points
}

function round(value: number): string {
  return value.toFixed(1)
}
