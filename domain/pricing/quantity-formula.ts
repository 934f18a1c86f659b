import type { MetricDefinition } from '../application.ts'
import { atField, fieldError } from '../errors.ts'
import { checkFormula, evaluateFormula, type FormulaValues } from './formula.ts'

/** Numbers that the formula of a line's quantity may name, besides aggregates of metrics. */
export const quantityFormulaValues = [
  'quantity',
  'line.quantity',
  'period.days',
  'cycle.days',
  'subscription.days',
] as const

export type QuantityFormulaValues = Readonly<Record<(typeof quantityFormulaValues)[number], string>>

/**
 * Refuses the formula of a product's quantity (D-16) before it is stored. It may name every metric of the product's
 * applications, and the product's own.
 * @throws `formula_not_allowed` where nothing is metered, and what `checkFormula` refuses; all with the pointer of the field
 */
export function checkQuantityFormula(
  product: {
    readonly billingType: string
    readonly metric: string | null
    readonly terms: { readonly quantityFormula?: string | null }
  },
  applications: readonly { readonly metrics: readonly Pick<MetricDefinition, 'code'>[] }[],
): void {
  const { quantityFormula } = product.terms
  if (quantityFormula == null) return
  const pointer = '/terms/quantity_formula'
  if (product.billingType !== 'usage' || product.metric === null)
    throw fieldError(pointer, 'formula_not_allowed', 'Only what is billed by usage has a measured quantity.')
  const metrics = [
    product.metric,
    ...applications.flatMap(({ metrics: defined }) => defined.map(({ code }) => code)),
  ]
  atField(pointer, () => checkFormula(quantityFormula, { values: quantityFormulaValues, metrics }))
}

/**
 * The quantity that is billed of what was measured: `2 * metric("users").max` with 4 users is 8, `12` is 12.
 * @throws `quantity_negative` for a result below 0, and what `evaluateFormula` refuses
 */
export function quantityByFormula(
  formula: string,
  named: { readonly values: QuantityFormulaValues } & Pick<FormulaValues, 'metrics'>,
): string {
  return evaluateFormula(formula, named).toFixed()
}
