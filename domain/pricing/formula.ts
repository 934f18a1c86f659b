import Big from 'big.js'
import { BusinessError } from '../errors.ts'
import type { MetricAggregation } from '../usage.ts'
import { divide } from '../money.ts'
import { greater, lesser } from './decimal.ts'
import { parseFormula, type Node } from './formula-syntax.ts'

/**
 * What a formula may see, and nothing else: named numbers (`quantity`, `line.quantity`, `period.days`), and aggregates of
 * metrics by code (`metric("users").max`). Decimals in text.
 */
export interface FormulaValues {
  readonly values?: Readonly<Record<string, string>>
  readonly metrics?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** The names that will have a value when a formula is evaluated. */
export interface FormulaNames {
  readonly values: readonly string[]
  /** Metric codes. */
  readonly metrics: readonly string[]
}

/** What `metric("code").…` can ask for: every aggregate of a metric that needs no number of its own. */
const metricAggregates: readonly MetricAggregation[] = [
  'sum',
  'max',
  'min',
  'average',
  'last',
  'count',
  'unique_count',
  'time_weighted_average',
]

type Value = Big | boolean

/** Before the point, and after it: as many as a quotient has. */
const mostDigits = 60
const mostDecimals = 40

/**
 * The number that a formula gives: `2 * metric("users").max` with 4 users is 8, `12` is 12. Arithmetic is decimal and
 * exact to 40 decimals, so a result is as good as any other amount. The language: numbers without exponent,
 * `+ - * / %`, comparisons, `&& || !`, `a ? b : c`, `min max round floor ceil abs`. It has no loops, no assignment and no
 * text, so a formula ends after as many steps as it has parts.
 * @throws `formula_invalid`, `formula_not_allowed`, `formula_too_expensive` as `checkFormula`; `formula_invalid` for a
 *   division by zero or a value that is missing, `quantity_negative` for a result below 0
 */
export function evaluateFormula(formula: string, named: FormulaValues): Big {
  const result = evaluateNumber(parseFormula(formula), named)
  if (result.lt(0)) {
    throw new BusinessError('quantity_negative', `The formula gives ${result.toFixed()}, which is below 0.`)
  }
  return result
}

/**
 * Refuses a formula when it is saved rather than when it is billed.
 * @throws `formula_invalid` bad syntax, a name that has no value, or no number as result; `formula_not_allowed` anything but
 *   arithmetic over the named values; `formula_too_expensive` above 4 KiB, 1,000 parts or 100 brackets deep
 */
export function checkFormula(formula: string, names: FormulaNames): void {
  const type = typeOf(parseFormula(formula), names)
  if (type !== 'number') throw invalid('It gives true or false; it must give a number.')
}

function evaluateNumber(node: Node, named: FormulaValues): Big {
  const value = evaluate(node, named)
  if (typeof value === 'boolean') throw invalid('It uses true or false where a number belongs.')
  // Every number on the way is held small, so that no step takes longer than another.
  if (value.e >= mostDigits) {
    const detail = `The formula is too expensive. It reaches a number of more than ${mostDigits} digits.`
    throw new BusinessError('formula_too_expensive', detail)
  }
  return value.round(mostDecimals, Big.roundHalfUp)
}

function evaluateCondition(node: Node, named: FormulaValues): boolean {
  const value = evaluate(node, named)
  if (typeof value !== 'boolean') throw invalid('It uses a number where a condition belongs.')
  return value
}

function evaluate(node: Node, named: FormulaValues): Value {
  switch (node.kind) {
    case 'number':
      return new Big(node.text)
    case 'boolean':
      return node.value
    case 'value':
      return valueNamed(named.values, node.name, node.name)
    case 'metric':
      return metricNamed(named, node)
    case 'negate':
      return evaluateNumber(node.operand, named).neg()
    case 'not':
      return !evaluateCondition(node.operand, named)
    case 'choice':
      return evaluate(evaluateCondition(node.test, named) ? node.chosen : node.otherwise, named)
    case 'arithmetic':
      return arithmetic[node.operator](evaluateNumber(node.left, named), evaluateNumber(node.right, named))
    case 'comparison':
      return comparison[node.operator](
        evaluateNumber(node.left, named).cmp(evaluateNumber(node.right, named)),
      )
    case 'logic':
      return node.operator === '&&'
        ? evaluateCondition(node.left, named) && evaluateCondition(node.right, named)
        : evaluateCondition(node.left, named) || evaluateCondition(node.right, named)
    case 'call':
      checkOperandCount(node)
      return functions[node.name].call(node.operands.map((operand) => evaluateNumber(operand, named)))
  }
}

function valueNamed(values: Readonly<Record<string, string>> | undefined, name: string, shown: string): Big {
  const value = values && Object.hasOwn(values, name) ? values[name] : undefined
  if (value === undefined) throw invalid(`There is no value ${shown}.`)
  return new Big(value)
}

function metricNamed(named: FormulaValues, node: Node & { kind: 'metric' }): Big {
  const { metrics } = named
  const aggregates = metrics && Object.hasOwn(metrics, node.metric) ? metrics[node.metric] : undefined
  return valueNamed(aggregates, node.aggregate, `metric("${node.metric}").${node.aggregate}`)
}

const arithmetic: Readonly<Record<'+' | '-' | '*' | '/' | '%', (left: Big, right: Big) => Big>> = {
  '+': (left, right) => left.plus(right),
  '-': (left, right) => left.minus(right),
  '*': (left, right) => left.times(right),
  '/': (left, right) => divide(left, notZero(right)),
  '%': (left, right) => left.mod(notZero(right)),
}

function notZero(divisor: Big): Big {
  if (divisor.eq(0)) throw invalid('It divides by zero.')
  return divisor
}

const comparison: Readonly<Record<'<' | '<=' | '>' | '>=' | '==' | '!=', (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
}

interface FormulaFunction {
  /** Least and greatest number of operands. */
  readonly operands: readonly [number, number]
  readonly call: (operands: readonly Big[]) => Big
}

const functions: Readonly<Record<'min' | 'max' | 'round' | 'floor' | 'ceil' | 'abs', FormulaFunction>> = {
  min: { operands: [1, 100], call: (all) => all.reduce(lesser) },
  max: { operands: [1, 100], call: (all) => all.reduce(greater) },
  round: { operands: [1, 2], call: ([value, decimals]) => rounded(value, decimals) },
  floor: { operands: [1, 1], call: ([value = zero]) => toWhole(value, value.lt(0)) },
  ceil: { operands: [1, 1], call: ([value = zero]) => toWhole(value, value.gt(0)) },
  abs: { operands: [1, 1], call: ([value = zero]) => value.abs() },
}

const zero = new Big(0)

/** Half away from zero, to 0 to 20 decimals. */
function rounded(value: Big = zero, decimals: Big = zero): Big {
  const places = Number(decimals.toFixed())
  if (!Number.isInteger(places) || places < 0 || places > 20) throw invalid('It rounds to 0 to 20 decimals.')
  return value.round(places, Big.roundHalfUp)
}

function toWhole(value: Big, isAwayFromZero: boolean): Big {
  return value.round(0, isAwayFromZero ? Big.roundUp : Big.roundDown)
}

/** An aggregate of a metric that a formula asks for. */
export interface NamedMetric {
  readonly metric: string
  readonly aggregate: MetricAggregation
}

/**
 * What a formula that was checked asks for, each once: `2 * metric("users").max` names the highest of users.
 * @throws as `evaluateFormula`, for a formula that was never checked
 */
export function metricsNamedBy(formula: string): NamedMetric[] {
  const named = namedIn(parseFormula(formula))
  return [...new Map(named.map((one) => [`${one.metric} ${one.aggregate}`, one])).values()]
}

function namedIn(node: Node): NamedMetric[] {
  switch (node.kind) {
    case 'number':
    case 'boolean':
    case 'value':
      return []
    case 'metric': {
      const aggregate = metricAggregates.find((one) => one === node.aggregate)
      return aggregate === undefined ? [] : [{ metric: node.metric, aggregate }]
    }
    case 'negate':
    case 'not':
      return namedIn(node.operand)
    case 'choice':
      return [node.test, node.chosen, node.otherwise].flatMap(namedIn)
    case 'arithmetic':
    case 'comparison':
    case 'logic':
      return [node.left, node.right].flatMap(namedIn)
    case 'call':
      return node.operands.flatMap(namedIn)
  }
}

function typeOf(node: Node, names: FormulaNames): 'number' | 'boolean' {
  const expect = (part: Node, type: 'number' | 'boolean') => {
    if (typeOf(part, names) !== type) throw invalid(`It has no ${type} where one belongs.`)
  }
  switch (node.kind) {
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'value':
      if (!names.values.includes(node.name)) throw invalid(`There is no value ${node.name}.`)
      return 'number'
    case 'metric':
      return checkMetric(node, names)
    case 'negate':
      expect(node.operand, 'number')
      return 'number'
    case 'not':
      expect(node.operand, 'boolean')
      return 'boolean'
    case 'choice':
      expect(node.test, 'boolean')
      return typeOfChoice(typeOf(node.chosen, names), typeOf(node.otherwise, names))
    case 'arithmetic':
    case 'comparison':
      expect(node.left, 'number')
      expect(node.right, 'number')
      return node.kind === 'arithmetic' ? 'number' : 'boolean'
    case 'logic':
      expect(node.left, 'boolean')
      expect(node.right, 'boolean')
      return 'boolean'
    case 'call':
      for (const operand of node.operands) expect(operand, 'number')
      return checkOperandCount(node)
  }
}

function typeOfChoice(chosen: 'number' | 'boolean', otherwise: 'number' | 'boolean'): 'number' | 'boolean' {
  if (chosen !== otherwise) throw invalid('Its two choices are not of one kind.')
  return chosen
}

function checkMetric(node: Node & { kind: 'metric' }, names: FormulaNames): 'number' {
  if (!names.metrics.includes(node.metric)) throw invalid(`There is no metric ${node.metric}.`)
  if (!metricAggregates.some((aggregate) => aggregate === node.aggregate))
    throw invalid(`A metric has ${metricAggregates.join(', ')}, not ${node.aggregate}.`)
  return 'number'
}

function checkOperandCount(node: Node & { kind: 'call' }): 'number' {
  const [least, most] = functions[node.name].operands
  if (node.operands.length < least || node.operands.length > most)
    throw invalid(`${node.name} does not take ${node.operands.length} values.`)
  return 'number'
}

function invalid(reason: string): BusinessError {
  return new BusinessError('formula_invalid', `The formula cannot be used. ${reason}`)
}
