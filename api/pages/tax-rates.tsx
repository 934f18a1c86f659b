import { listTaxRatePage, type TaxRateRow } from '#db/read/tax-rate.ts'
import { dateIn } from '#domain/calendar.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { createTaxRate, letTaxRateEnd } from '../routes/tax-rates.ts'
import { newTaxRateSchema, taxRateChangeSchema } from '../schemas/tax-rate.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Folded, PostForm, Refusal, TextField, type RefusedInput } from './form.tsx'
import { formatQuantity } from './format.ts'
import { Day, Empty, Section, Table } from './parts.tsx'
import { knownOf, registerRowForm, saidOf } from './row-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

const path = '/settings/tax-rates'

/** Rates are few: a country, its regions, its categories, and what was in force before. */
const shownRates = 500

export function registerTaxRatePages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'tax_rates:read' },
    async (view) => await taxRatesBody(frame, view),
  )
  const showAgain = async (view: ConsoleView, _id: string, refused: RefusedInput) =>
    await taxRatesBody(frame, view, refused)
  registerRowForm(frame, {
    path,
    permission: 'tax_rates:write',
    form: () => 'add',
    carryOut: async (tx, { values }) => {
      await createTaxRate(tx, parse(newTaxRateSchema, saidOf(values), 'body'))
      return path
    },
    showAgain,
  })
  registerRowForm(frame, {
    path: `${path}/:id/end`,
    permission: 'tax_rates:write',
    form: endForm,
    carryOut: async (tx, { id, values }) => {
      const { ends_on: endsOn } = parse(taxRateChangeSchema, knownOf(values), 'body')
      await letTaxRateEnd(tx, decodeId('taxRate', id), endsOn)
      return path
    },
    showAgain,
  })
}

function endForm(publicId: string): string {
  return `end-${publicId}`
}

async function taxRatesBody(frame: Frame, view: ConsoleView, refused?: RefusedInput): Promise<ConsoleBody> {
  const everything = { limit: shownRates, cursor: null, direction: 'after' } as const
  const rows = await listTaxRatePage(frame.deps.db, everything)
  const today = dateIn(view.timeZone, view.now)
  const sorted = rows.toSorted((one, other) => placeOf(one).localeCompare(placeOf(other)))
  return {
    title: 'Tax rates',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="rates" title="Tax rates">
          {refused !== undefined && refused.form !== 'add' && <Refusal refused={refused} />}
          {rows.length === 0 ? (
            <Empty>No rate is known yet: what is sold is billed without tax, or not at all.</Empty>
          ) : (
            <Table
              caption="Tax rates"
              head={['Country', 'Name', 'Category', { number: 'Rate' }, 'From', 'In force until']}
            >
              {sorted.map((row) => (
                <Rate view={view} row={row} today={today} refused={refused} />
              ))}
            </Table>
          )}
        </Section>
        <Section id="new" title="Another rate">
          <AddForm view={view} refused={refused} isOpen={rows.length === 0} />
        </Section>
      </SettingsFrame>
    ),
  }
}

function placeOf({ country, region, category, starts_on: startsOn }: TaxRateRow): string {
  return [country, region ?? '', category, startsOn ?? ''].join(' ')
}

interface RateProps {
  readonly view: ConsoleView
  readonly refused: RefusedInput | undefined
}

function Rate({ view, row, today, refused }: RateProps & { row: TaxRateRow; today: string }) {
  const isOver = row.ends_on !== null && row.ends_on <= today
  const publicId = encodeId('taxRate', row.id)
  const form = endForm(publicId)
  return (
    <tr class={isOver ? 'past' : undefined}>
      <th scope="row">
        {row.country}
        {row.region !== null && <div class="hint">{row.region}</div>}
      </th>
      <td>{row.name}</td>
      <td>{row.category}</td>
      <td class="number">{formatQuantity(row.rate_percent)} %</td>
      <td>{row.starts_on === null ? 'always' : <Day date={row.starts_on} />}</td>
      <td>
        {isOver && row.ends_on !== null ? (
          <>
            ended <Day date={row.ends_on} />
          </>
        ) : (
          <PostForm view={view} form={form} refused={refused} action={`${path}/${publicId}/end`} isInRow>
            <TextField
              form={form}
              refused={refused}
              name="ends_on"
              label={`First day without ${row.name} ${row.country} ${row.category}`}
              isLabelHidden
              type="date"
              value={row.ends_on}
            />
            <button type="submit">
              {row.ends_on === null ? 'End' : 'Change'}
              <span class="visually-hidden">
                {' '}
                {row.name} {row.country} {row.category}
              </span>
            </button>
          </PostForm>
        )}
      </td>
    </tr>
  )
}

function AddForm({ view, refused, isOpen }: RateProps & { isOpen: boolean }) {
  const at = { form: 'add', refused }
  const fields = (
    <PostForm {...at} view={view} action={path}>
      <TextField {...at} name="country" label="Country" hint="Two letters, such as DE." isRequired />
      <TextField {...at} name="region" label="Region" hint="Empty: the whole country." />
      <TextField {...at} name="name" label="Name" hint="As it is printed, such as VAT." isRequired />
      <TextField {...at} name="rate_percent" label="Rate, in percent" type="decimal" isRequired />
      <TextField {...at} name="category" label="Category" hint="As products have it; empty: standard." />
      <TextField {...at} name="starts_on" label="First day" type="date" hint="Empty: it was always so." />
      <TextField {...at} name="ends_on" label="First day without it" type="date" hint="Empty: no end." />
      <div class="buttons">
        <button type="submit" class="primary">
          Add the rate
        </button>
      </div>
    </PostForm>
  )
  if (isOpen) return fields
  return (
    <Folded {...at} title="Add a rate…">
      {fields}
    </Folded>
  )
}
