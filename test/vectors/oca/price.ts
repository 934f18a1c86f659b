import Big from 'big.js'
import { addDays } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { fillPlaceholders } from '#domain/placeholder.ts'
import { planPriceRevision } from '#domain/price-revision.ts'
import { applyDiscountsExactly, checkDiscount } from '#domain/pricing/discount.ts'
import { checkFormula, evaluateFormula } from '#domain/pricing/formula.ts'
import { importGrid } from '#domain/pricing/grid.ts'
import type { Price } from '#domain/pricing/price.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import { variationPercent, type PriceRevision } from '#domain/pricing/revision.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { defaultTerms } from '#domain/terms.ts'
import type { OcaAdapter, OcaCase } from '../adapter.ts'
import { billedLine } from '../oca-life.ts'
import { answerFields, decimalOf, orRefused, recordOf, textOf } from '../oca-line.ts'

/** What a line costs, how much of it there is, and what its text says. */
export const sections: Readonly<Record<string, OcaAdapter>> = {
  price: (testCase) => orRefused(() => answerPrice(testCase)),
  variable_quantity_and_metrics: (testCase) => orRefused(() => answerQuantity(testCase)),
  clouder_price_grid: (testCase) => {
    const steps = listOf(testCase['lines']).map(({ unit, threshold, price, type }) => ({
      from: decimalOf(threshold, '0'),
      amount: decimalOf(price, '0'),
      kind: type === 'fixed' ? ('fixed' as const) : ('times_value' as const),
      value: textOf(unit, ''),
    }))
    return { expect_amount: amountOfGrid({ model: 'grid', steps }, recordOf(testCase['values'])) }
  },
  clouder_issue_17_grid: answerUpperBounds,
  markers: answerMarkers,
}

function answerUpperBounds(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const bounds = testCase['grid_up_to'] as readonly (readonly [unknown, unknown])[]
  const rows = bounds.map(([bound, amount]) => ({
    bound: decimalOf(bound, '0'),
    amount: decimalOf(amount, '0'),
    kind: 'fixed' as const,
    value: 'users',
  }))
  const fixed = { from: '0', amount: decimalOf(testCase['fixed_price'], '0'), kind: 'fixed' as const }
  const steps = [...importGrid(rows, 'upper', ''), { ...fixed, value: 'base' }]
  return { expect: amountOfGrid({ model: 'grid', steps }, { users: testCase['users'], base: 0 }) }
}

function amountOfGrid(price: Price, values: Readonly<Record<string, unknown>>): Big {
  const texts = Object.entries(values).map(([name, value]) => [name, decimalOf(value, '0')])
  return ratePrice(price, new Big(0), { values: Object.fromEntries(texts) }).amount
}

function answerPrice(testCase: OcaCase): Readonly<Record<string, unknown>> {
  if ('previous_price' in testCase) {
    const [previous, next] = [testCase['previous_price'], testCase['price']]
    return {
      expect_variation_percent: variationPercent(
        new Big(decimalOf(previous, '0')),
        new Big(decimalOf(next, '0')),
      ),
    }
  }
  if ('old_price' in testCase) return answerRevision(testCase)
  // What is priced by the lists is read from them, whatever was written on the line.
  const pricing = testCase['auto_price'] === true ? 'reevaluated' : 'frozen'
  const agreed = testCase['price_unit'] ?? testCase['manual_write'] ?? testCase['list_price']
  const unit = decimalOf(pricing === 'reevaluated' ? testCase['list_price'] : agreed, '0')
  return {
    expect_price_unit: unit,
    ...answerFields(testCase, /^expect_.*(subtotal|amount|total)$/, () => discounted(testCase, unit)),
    ...('discount' in testCase && 'expect_error' in testCase
      ? { expect_amount: discounted(testCase, unit) }
      : {}),
  }
}

function discounted(testCase: OcaCase, unitAmount: string): Big {
  const { amount } = ratePrice(perUnitPrice(unitAmount), new Big(decimalOf(testCase['quantity'], '1')))
  const line = { id: 'line', productId: null, amountMinor: Number(amount.times(100).toFixed()) }
  const scope = { kind: 'line', lineIds: ['line'] } as const
  const discount = { id: 'discount', scope, percent: decimalOf(testCase['discount'], '0') }
  checkDiscount(discount, '')
  const { netMinor } = applyDiscountsExactly([line], [discount])
  return (netMinor[0] ?? new Big(0)).div(100)
}

/** A line of 2018 at the old price, and two beside it that a revision passes by. */
function answerRevision(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const { line } = billedLine({ date_start: '2018-01-01' }, testCase)
  const startsOn = textOf(testCase['from_date'], '')
  const price = perUnitPrice(decimalOf(testCase['old_price'], '0'))
  const revision: PriceRevision =
    'variation_percent' in testCase
      ? { percent: decimalOf(testCase['variation_percent'], '0') }
      : { price: perUnitPrice(decimalOf(testCase['fixed_price'], '0')) }
  const plan = planPriceRevision(
    [
      { id: 'frozen', line, price, terms: defaultTerms },
      { id: 'automatic', line, price, terms: { ...defaultTerms, pricing: 'reevaluated' } },
      { id: 'never', line, price, terms: { ...defaultTerms, isNeverRevised: true } },
    ],
    { startsOn, today: startsOn, revision },
  )
  const [revised, ...others] = plan.revised
  const newPrice = revised && ratePrice(revised.newPrice, new Big(1)).amount
  return {
    expect_new_line_price: newPrice,
    expect:
      others.length === 0 &&
      plan.passedBy.map(({ id }) => id).join() === 'automatic,never' &&
      revised?.change.line.endsOn === startsOn &&
      revised.change.successor?.startsOn === startsOn,
  }
}

function answerQuantity(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const quantity = decimalOf(testCase['line_quantity'] ?? testCase['quantity'], '1')
  if ('query_code' in testCase) {
    return { expect_saved_values: [evaluateNamed('value', textOf(testCase['query_code'], ''), quantity)] }
  }
  if ('formula' in testCase) {
    const result = evaluateNamed('result', textOf(testCase['formula'], ''), quantity)
    const isLeftOut = testCase['skip_zero_qty'] === true && result.eq(0)
    return {
      expect_invoice_quantity: result,
      expect_quantity: result,
      expect_invoice_lines: isLeftOut ? 0 : 1,
    }
  }
  const measured = testCase['policy'] === 'usage'
  return { expect_quantity: measured ? sumOfWindows(listOf(testCase['metric_values'])) : quantity }
}

/** Their formulas assign to a name that is read afterwards; ours are the expression alone. */
function evaluateNamed(name: string, code: string, quantity: string): Big {
  const [, assigned, expression = ''] = /^\s*(\w+)\s*=(?!=)\s*(.*)$/s.exec(code) ?? []
  if (assigned !== name) throw new BusinessError('formula_invalid', `It gives no ${name}.`)
  const values = { quantity, 'line.quantity': quantity }
  checkFormula(expression, { values: Object.keys(values), metrics: [] })
  return evaluateFormula(expression, { values })
}

/** A value counts in the period in which its window ends; one without dates belongs to none (D-10). */
function sumOfWindows(windows: readonly Readonly<Record<string, unknown>>[]): string {
  const values = windows.filter(({ date_end }) => date_end !== null && date_end !== undefined)
  const metrics = {
    metric: { sum: values.reduce((sum, { value }) => sum.plus(decimalOf(value, '0')), new Big(0)).toFixed() },
  }
  return evaluateFormula('metric("metric").sum', { metrics }).toFixed()
}

const placeholders: Readonly<Record<string, string>> = {
  START: 'first_day',
  END: 'last_day',
  INVOICEMONTHNUMBER: 'month_number',
  INVOICEMONTHNAME: 'month',
  INVOICEYEAR: 'year',
}
/** A language that writes a date so. */
const languages: Readonly<Record<string, string>> = {
  '%m/%d/%Y': 'en-US',
  '%d/%m/%Y': 'en-GB',
  '%d.%m.%Y': 'de',
  '%d-%m-%Y': 'nl',
  '%Y-%m-%d': 'en-CA',
  '%Y/%m/%d': 'en-ZA',
}

/** Their markers of the invoice date are ours of the period's first day, so that one is asked for each. */
function answerMarkers(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const period = listOfTexts(testCase['period'])
  const format = textOf(testCase['date_format'], '%m/%d/%Y').slice(0, 8)
  const stated = textOf(testCase['language'] ?? testCase['lang'], '').replace('_', '-')
  const language = stated || (languages[format] ?? 'en-US')
  const days = { start: period[0] ?? '', end: addDays(period[1] ?? '', 1) }
  const invoiceOn = textOf(testCase['invoice_date'], days.start)
  const filled = textOf(testCase['name'], '').replaceAll(/#([A-Z]+)#/g, (marker, name: string) => {
    const placeholder = Object.hasOwn(placeholders, name) ? placeholders[name] : undefined
    if (placeholder === undefined) return marker
    const asked = name.startsWith('INVOICE') ? { start: invoiceOn, end: addDays(invoiceOn, 1) } : days
    return fillPlaceholders(`{${placeholder}}`, asked, language)
  })
  return { expect: filled }
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(recordOf) : []
}

function listOfTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
