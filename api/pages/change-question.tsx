import { intervalUnits, type IntervalUnit } from '#domain/calendar.ts'
import { isWholeUnit } from '#domain/unit.ts'
import { Choice, Refusal, TextField, type RefusedInput } from './form.tsx'
import { formatQuantity } from './format.ts'
import { Section } from './parts.tsx'
import { priceInWords } from './price.ts'
import type { ChangePage } from './subscription-change.tsx'

const unitTitles: Readonly<Record<IntervalUnit, string>> = {
  day: 'days',
  week: 'weeks',
  month: 'months',
  month_last_day: 'months, to their last day',
  quarter: 'quarters',
  half_year: 'half years',
  year: 'years',
}

interface Question {
  readonly page: ChangePage
  readonly form: string
  readonly refused: RefusedInput | undefined
  /** The preview of what was typed is below. */
  readonly isShown: boolean
}

/** Asked by address, so that it changes nothing and can be sent on. */
export function ChangeQuestion(props: Question) {
  const { page, refused, isShown } = props
  const { line, content } = page
  return (
    <Section id="question" title="What changes">
      {refused !== undefined && <Refusal refused={refused} />}
      <p>
        Now: {priceInWords(line, content.row.currency)}
        {line.billing_type !== 'usage' &&
          `, ${line.billing_timing === 'advance' ? 'in advance' : 'in arrears'}`}
        . What is left empty stays.
      </p>
      <form method="get" class="sheet">
        <input type="hidden" name="line" value={page.values['line']} />
        <Fields {...props} />
        <div class="buttons">
          <button type="submit" name="preview" value="1" class={isShown ? undefined : 'primary'}>
            Show what it costs
          </button>
        </div>
      </form>
    </Section>
  )
}

function Fields({ page, form, refused }: Question) {
  const { line, content, values, products } = page
  const at = { form, refused }
  const hasQuantity = line.billing_type !== 'usage'
  return (
    <>
      {hasQuantity && (
        <TextField
          {...at}
          name="quantity"
          label={`Quantity, in ${line.unit}`}
          type={isWholeUnit(line.unit) ? 'number' : 'decimal'}
          min={1}
          value={values['quantity']}
          hint={`Now ${formatQuantity(line.quantity)}.`}
        />
      )}
      <TextField
        {...at}
        name="product"
        label="Product"
        list="products"
        value={values['product']}
        hint={`Code, now ${line.product_code}. The same one: at the price of the day.`}
      />
      <datalist id="products">
        {products.map(({ code, name }) => (
          <option value={code}>{name}</option>
        ))}
      </datalist>
      <TextField
        {...at}
        name="price.unit_amount"
        label={`Price of one, in ${content.row.currency}`}
        type="decimal"
        value={values['price.unit_amount']}
        hint="Agreed by you, whatever the lists say."
      />
      <TextField
        {...at}
        name="recurrence.count"
        label="Billed every"
        type="number"
        min={1}
        max={1000}
        value={values['recurrence.count']}
        hint="A longer period costs as much as so many shorter ones."
      />
      <Choice
        {...at}
        name="recurrence.unit"
        label="Counted in"
        value={values['recurrence.unit'] ?? ''}
        choices={[['', 'as now'], ...intervalUnits.map((unit) => [unit, unitTitles[unit]] as const)]}
      />
      <TextField
        {...at}
        name="starts_on"
        label="From"
        type="date"
        value={values['starts_on']}
        hint="Empty: the first day that the terms allow."
      />
      {line.limit_code !== null && (
        <Choice
          {...at}
          name="below_use"
          label="If more is used than that"
          value={values['below_use'] ?? ''}
          choices={[
            ['', 'refuse it'],
            ['plan', 'make it once it fits'],
          ]}
        />
      )}
    </>
  )
}
