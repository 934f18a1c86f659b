import type { z } from 'zod'
import { atField } from '#domain/errors.ts'
import { parseAmount } from '#domain/money.ts'
import { checkCurrency } from '../schemas/currency.ts'
import { newDiscountSchema } from '../schemas/discount.ts'
import { parse } from '../validation.ts'
import type { ConsoleView } from './console-page.tsx'
import { Choice, Folded, PostForm, TextField, Tick, type RefusedInput } from './form.tsx'
import { saidOf } from './row-form.ts'
import type { Values } from './sent-form.ts'

/** A discount is a percent or an amount; what is left empty bounds nothing. */
export function AddDiscount(props: { view: ConsoleView; refused: RefusedInput | undefined; action: string }) {
  const at = { form: 'add', refused: props.refused }
  return (
    <Folded {...at} title="Add a discount…">
      <PostForm {...at} view={props.view} action={props.action}>
        <TextField {...at} name="name" label="Name" hint="As it stands on invoices." isRequired />
        <TextField {...at} name="code" label="Code" hint="Such as SPRING-2026; empty: given by hand." />
        <TextField {...at} name="percent" label="Percent" type="decimal" hint="Or an amount." />
        <TextField
          {...at}
          name="amount"
          label="Amount each period"
          type="decimal"
          hint="Such as 5.00, with its currency."
        />
        <TextField {...at} name="currency" label="Currency of the amount" hint="Such as EUR." />
        <Choice
          {...at}
          name="scope"
          label="Comes off"
          value="line"
          choices={[
            ['line', 'each line'],
            ['document', 'the document, after those of lines'],
          ]}
        />
        <TextField {...at} name="product" label="Product" hint="Code; empty: every product." />
        <TextField {...at} name="period_count" label="Periods" type="number" min={1} hint="Empty: no end." />
        <TextField {...at} name="starts_on" label="Can be got from" type="date" />
        <TextField {...at} name="ends_on" label="Can no more be got from" type="date" />
        <TextField {...at} name="maximum_uses" label="Uses, at most" type="number" min={1} />
        <Tick {...at} name="is_once_per_customer" label="Once a customer" isTicked={false} />
        <div class="buttons">
          <button type="submit" class="primary">
            Add the discount
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}

/** @throws what the schema refuses, `currency_unknown`, `field_invalid` for an amount that its currency has not */
export function toNewDiscount(values: Values): z.output<typeof newDiscountSchema> {
  const { amount, currency, period_count: periods, maximum_uses: uses, ...said } = saidOf(values)
  const body = {
    ...said,
    ...(amount === undefined ? {} : { amount: toMoney(amount, currency ?? '') }),
    ...(periods === undefined ? {} : { period_count: Number(periods) }),
    ...(uses === undefined ? {} : { maximum_uses: Number(uses) }),
    is_once_per_customer: said['is_once_per_customer'] === 'true',
  }
  return parse(newDiscountSchema, body, 'body')
}

function toMoney(amount: string, currency: string) {
  checkCurrency(currency, '/currency')
  return { amount_minor: atField('/amount', () => parseAmount(amount, currency)), currency }
}
