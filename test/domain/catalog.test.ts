import assert from 'node:assert/strict'
import test from 'node:test'
import { checkProduct, type ProposedProduct } from '#domain/catalog.ts'
import { BusinessError } from '#domain/errors.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { shop } from './application-fixture.ts'

const metered = {
  ...shop,
  limits: [...shop.limits, { code: 'traffic', title: 'Traffic', metric: 'network' }],
  metrics: [
    {
      code: 'network',
      title: 'Network',
      unit: 'B',
      kind: 'counter',
      aggregation: 'sum',
      source: { type: 'engine-network' },
    },
  ],
} as const

const flat: ProposedProduct = {
  billingType: 'flat',
  billingTiming: 'advance',
  isRecurring: true,
  unit: 'month',
  currency: 'USD',
  metric: null,
  limitCode: null,
  attributes: {},
  quantityAttribute: null,
  basePrice: perUnitPrice('10'),
}
const usage: ProposedProduct = {
  ...flat,
  billingType: 'usage',
  billingTiming: 'arrears',
  unit: 'GiB',
  metric: 'network',
}
const threshold: ProposedProduct = { ...flat, billingType: 'threshold', unit: 'user', limitCode: 'users' }

test('products that can be billed and built are taken', () => {
  for (const product of [flat, usage, threshold, { ...flat, isRecurring: false }])
    checkProduct(product, [metered])
})

test('a metric that is only pushed, and a threshold that nothing enforces, need no application', () => {
  checkProduct({ ...usage, metric: 'mails', unit: 'request' }, [])
  checkProduct({ ...threshold, limitCode: null }, [])
})

const refusals: [name: string, product: ProposedProduct, pointer: string, code: string][] = [
  ['usage in advance', { ...usage, billingTiming: 'advance' }, '/billing_timing', 'billing_timing_invalid'],
  ['usage paid once', { ...usage, isRecurring: false }, '/recurrence', 'recurrence_invalid'],
  ['usage of nothing', { ...usage, metric: null }, '/metric', 'field_required'],
  ['usage of what is not measured', { ...usage, metric: 'steps' }, '/metric', 'metric_unknown'],
  ['traffic sold by the user', { ...usage, unit: 'user' }, '/unit', 'unit_not_convertible'],
  ['a flat product with a metric', { ...flat, metric: 'network' }, '/metric', 'field_invalid'],
  ['a flat product with a limit', { ...flat, limitCode: 'users' }, '/limit', 'field_invalid'],
  ['a limit that nothing enforces', { ...threshold, limitCode: 'seats' }, '/limit', 'limit_unknown'],
  [
    'a hard limit that its application only measures',
    { ...threshold, unit: 'GiB', limitCode: 'traffic' },
    '/terms/enforcement',
    'limit_not_enforceable',
  ],
  [
    'a throttled limit that its application cannot slow',
    { ...threshold, terms: { enforcement: 'throttle' } },
    '/terms/enforcement',
    'limit_not_enforceable',
  ],
  [
    'traffic with a ceiling of users',
    { ...threshold, limitCode: 'traffic', terms: { enforcement: 'soft' } },
    '/unit',
    'unit_not_convertible',
  ],
  ['a unit that is none', { ...flat, unit: 'furlong' }, '/unit', 'unit_unknown'],
  ['a currency that is none', { ...flat, currency: 'XXX' }, '/currency', 'currency_unknown'],
]

for (const [name, product, pointer, code] of refusals) {
  test(`${name} is refused with ${code} at ${pointer}`, () => {
    assert.throws(
      () => checkProduct(product, [metered]),
      (error) =>
        error instanceof BusinessError &&
        error.fields[0]?.pointer === pointer &&
        error.fields[0].code === code,
    )
  })
}
