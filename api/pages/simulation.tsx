import { readSimulation, type Simulation } from '#db/read/simulation.ts'
import { noteTaxQuestion } from '#db/tax-answer.ts'
import { BusinessError } from '#domain/errors.ts'
import type { TurningPoint } from '#domain/invoice/turning-point.ts'
import type { Frame } from '../frame.ts'
import { simulationRequestSchema } from '../schemas/simulation.ts'
import { parse } from '../validation.ts'
import { BillToCome } from './bills-to-come.tsx'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { formatAmount, formatDate, formatQuantity, plural } from './format.ts'
import { Day, Empty, Section, Table } from './parts.tsx'
import { readSubscriptionContent, type SubscriptionContent } from './subscription-content.ts'

const usualMonths = '12'
const usagePrefix = 'usage.'

/** The invoices to come, and what is crossed, renewed and ended on the way; asked for by address, so that it can be sent on. */
export function registerSimulation(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/subscriptions/:id/simulation', permission: 'invoices:read' },
    async (view, ctx) => {
      const { db } = frame.deps
      const content = await readSubscriptionContent(db, ctx.req.param('id') ?? '')
      const asked = readAsked(ctx.req.query())
      const names = namesOf(content)
      try {
        const { months, usage = {} } = parse(simulationRequestSchema, asked, 'body')
        const assumed = new Map(Object.entries(usage))
        const simulation = await readSimulation(db, content.row.id, { months, assumed })
        return page(content, <Simulated {...{ view, content, asked, names, simulation }} />)
      } catch (error) {
        await noteTaxQuestion(db, error)
        if (!(error instanceof BusinessError)) throw error
        const refused = <Refused {...{ content, asked, names }} detail={error.message} />
        return { ...page(content, refused), status: 422 }
      }
    },
  )
}

interface Asked {
  readonly months: number
  readonly usage: Readonly<Record<string, string>>
}

/** Fields that were left empty assume nothing. */
function readAsked(query: Readonly<Record<string, string>>): Asked {
  const usage = Object.entries(query).flatMap(([name, value]) =>
    name.startsWith(usagePrefix) && value.trim() !== ''
      ? [[name.slice(usagePrefix.length), value.trim()]]
      : [],
  )
  return {
    months: Number(query['months'] ?? usualMonths),
    usage: Object.fromEntries(usage) as Asked['usage'],
  }
}

/** What a quantity can be assumed of: metrics that are billed, and limits that are sold. */
function namesOf({ lines }: SubscriptionContent): { name: string; unit: string; isLimit: boolean }[] {
  const named = lines.flatMap((line) => [
    ...(line.metric === null ? [] : [{ name: line.metric, unit: line.unit, isLimit: false }]),
    ...(line.limit_code === null ? [] : [{ name: line.limit_code, unit: line.unit, isLimit: true }]),
  ])
  return [...new Map(named.map((entry) => [entry.name, entry])).values()]
}

function page({ row }: SubscriptionContent, children: ConsoleBody['children']): ConsoleBody {
  return { title: `To come: ${row.title}`, current: 'subscriptions', children }
}

interface Head {
  readonly content: SubscriptionContent
  readonly asked: Asked
  readonly names: ReturnType<typeof namesOf>
}

function Question({ content, asked, names }: Head) {
  return (
    <>
      <p class="trail">
        <a href={`/subscriptions/${content.publicId}`}>← {content.row.title}</a>
      </p>
      <h1>Invoices to come: {content.row.title}</h1>
      <form method="get" class="card">
        <span class="field">
          <label for="months">Months</label>
          <input
            id="months"
            name="months"
            type="number"
            min="1"
            max="36"
            value={String(asked.months)}
            required
          />
        </span>
        {names.map(({ name, unit, isLimit }) => (
          <span class="field">
            <label for={`usage-${name}`}>
              {isLimit ? `Wanted of the limit ${name}` : `Used of ${name} in each period`}, in {unit}
            </label>
            <input
              id={`usage-${name}`}
              name={`${usagePrefix}${name}`}
              inputmode="decimal"
              value={asked.usage[name]}
            />
          </span>
        ))}
        <button type="submit">Simulate</button>
        <p class="hint">
          Computed by what makes the invoices. A metric that is left empty counts what was measured so far,
          and nothing after.
        </p>
      </form>
    </>
  )
}

function Refused(props: Head & { detail: string }) {
  return (
    <>
      <Question {...props} />
      <div class="banner alarm" role="alert">
        <strong>It cannot be simulated.</strong> {props.detail}
      </div>
    </>
  )
}

function Simulated(props: Head & { view: ConsoleView; simulation: Simulation | null }) {
  const { view, content, simulation } = props
  if (simulation === null) {
    return (
      <>
        <Question {...props} />
        <Empty>Nothing of it is billed: it is not active yet, or has ended.</Empty>
      </>
    )
  }
  const { bills, points, from, until, standing } = simulation
  const totalMinor = bills.reduce((sum, { draft }) => sum + draft.totalMinor, 0)
  return (
    <>
      <Question {...props} />
      <Section id="bills" title="Invoices">
        <p>
          {plural(bills.length, 'invoice')} from {formatDate(from)} to {formatDate(until)}, together{' '}
          <strong>{formatAmount(totalMinor, standing.currency)}</strong>. Each is the whole document, with
          what else lies on it.
        </p>
        {bills.map((bill, index) => (
          <BillToCome
            view={view}
            bill={bill}
            id={`bill-${index}`}
            subscriptionIds={standing.subscriptionIds}
          />
        ))}
      </Section>
      <Section id="points" title="On the way">
        {points.length === 0 ? (
          <Empty>Nothing is crossed, changed, renewed or ended.</Empty>
        ) : (
          <Table caption="On the way" head={['Day', 'What', 'Line']}>
            {points.map((point) => (
              <tr>
                <th scope="row">
                  <Day date={point.on} />
                </th>
                <td>{describe(point)}</td>
                <td>{lineOf(point, content)}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
    </>
  )
}

function lineOf(point: TurningPoint, { lines }: SubscriptionContent): string {
  return 'lineId' in point ? (lines.find(({ id }) => id === point.lineId)?.description ?? '') : ''
}

function describe(point: TurningPoint): string {
  switch (point.kind) {
    case 'limit_crossed':
      return `${formatQuantity(point.used)} ${point.limit} are wanted, ${formatQuantity(point.sold)} are sold`
    case 'included_used_up':
      return `the included ${formatQuantity(point.quantity)} are used up`
    case 'tier_reached':
      return `the tier above ${formatQuantity(point.quantity)} is reached`
    case 'changed':
      return 'an agreed change takes effect'
    case 'trial_ended':
      return 'the trial is over'
    case 'instalments_ended':
      return 'the last instalment is paid'
    case 'term_renewed':
      return `the term is renewed until ${formatDate(point.until)}`
    case 'ended':
      return 'it ends'
  }
}
