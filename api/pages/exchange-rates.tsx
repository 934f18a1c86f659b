import { listExchangeRatePage, type ExchangeRateRow } from '#db/read/exchange-rate.ts'
import type { Frame } from '../frame.ts'
import { recordExchangeRate } from '../routes/exchange-rates.ts'
import { newExchangeRateSchema } from '../schemas/exchange-rate.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Folded, PostForm, TextField, type RefusedInput } from './form.tsx'
import { formatQuantity } from './format.ts'
import { Day, Empty, Section, Table } from './parts.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import { SettingsFrame } from './settings-frame.tsx'

const path = '/settings/exchange-rates'

/** The newest are looked at; a feed may have recorded thousands. */
const shownRates = 100

export function registerExchangeRatePages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'exchange_rates:read' },
    async (view) => await exchangeRatesBody(frame, view),
  )
  registerRowForm(frame, {
    path,
    permission: 'exchange_rates:write',
    form: () => 'add',
    carryOut: async (tx, { values }) => {
      await recordExchangeRate(tx, parse(newExchangeRateSchema, saidOf(values), 'body'))
      return path
    },
    showAgain: async (view, _id, refused) => await exchangeRatesBody(frame, view, refused),
  })
}

async function exchangeRatesBody(
  frame: Frame,
  view: ConsoleView,
  refused?: RefusedInput,
): Promise<ConsoleBody> {
  const newest = { limit: shownRates, cursor: null, direction: 'after' } as const
  const rows = await listExchangeRatePage(frame.deps.db, newest)
  return {
    title: 'Exchange rates',
    current: 'settings',
    children: (
      <SettingsFrame current={path}>
        <Section id="rates" title="Exchange rates">
          {rows.length === 0 ? (
            <Empty>No rate is recorded: nothing is converted from one currency to another.</Empty>
          ) : (
            <Table
              caption="Exchange rates, newest first"
              head={['Currency', { number: 'Is' }, 'From', 'Source']}
            >
              {rows.slice(0, shownRates).map((row) => (
                <Rate row={row} />
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

function Rate({ row }: { row: ExchangeRateRow }) {
  return (
    <tr>
      <th scope="row">1 {row.base}</th>
      <td class="number">
        {formatQuantity(row.rate)} {row.quote}
      </td>
      <td>
        <Day date={row.valid_on} />
      </td>
      <td>{row.source}</td>
    </tr>
  )
}

interface AddFormProps {
  readonly view: ConsoleView
  readonly refused: RefusedInput | undefined
  readonly isOpen: boolean
}

function AddForm({ view, refused, isOpen }: AddFormProps) {
  const at = { form: 'add', refused }
  const fields = (
    <PostForm {...at} view={view} action={path}>
      <TextField {...at} name="base" label="Currency" hint="1 of this, such as EUR." isRequired />
      <TextField {...at} name="rate" label="Rate" type="decimal" isRequired />
      <TextField {...at} name="quote" label="In currency" hint="So many of this, such as USD." isRequired />
      <TextField {...at} name="source" label="Source" hint="As documents name it, such as ECB." isRequired />
      <TextField {...at} name="valid_on" label="First day" type="date" isRequired />
      <div class="buttons">
        <button type="submit" class="primary">
          Record the rate
        </button>
      </div>
    </PostForm>
  )
  if (isOpen) return fields
  return (
    <Folded {...at} title="Record a rate…">
      {fields}
    </Folded>
  )
}
