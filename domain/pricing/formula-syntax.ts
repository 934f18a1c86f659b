import jsep from 'jsep'
import { BusinessError } from '../errors.ts'

/** A formula, read: only what is listed here can be evaluated, so nothing else can be reached. */
export type Node =
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'metric'; readonly metric: string; readonly aggregate: string }
  | { readonly kind: 'negate' | 'not'; readonly operand: Node }
  | { readonly kind: 'choice'; readonly test: Node; readonly chosen: Node; readonly otherwise: Node }
  | Operation<'arithmetic', '+' | '-' | '*' | '/' | '%'>
  | Operation<'comparison', '<' | '<=' | '>' | '>=' | '==' | '!='>
  | Operation<'logic', '&&' | '||'>
  | { readonly kind: 'call'; readonly name: FunctionName; readonly operands: readonly Node[] }

interface Operation<Kind, Operator> {
  readonly kind: Kind
  readonly operator: Operator
  readonly left: Node
  readonly right: Node
}

const functionNames = ['min', 'max', 'round', 'floor', 'ceil', 'abs'] as const
type FunctionName = (typeof functionNames)[number]

const arithmeticOperators = ['+', '-', '*', '/', '%'] as const
const comparisonOperators = ['<', '<=', '>', '>=', '==', '!='] as const
const logicOperators = ['&&', '||'] as const

const greatestBytes = 4096
const mostParts = 1000
const deepest = 100
const longestNumber = 40

/**
 * Reads a formula. The parser knows more of JavaScript than we allow; each of its nodes is turned into one of ours, or
 * refused, and our nodes hold no object of the runtime.
 * @throws `formula_too_expensive`, `formula_not_allowed`, `formula_invalid`
 */
export function parseFormula(formula: string): Node {
  checkSize(formula)
  return toNode(parse(formula), { parts: 0 })
}

function checkSize(formula: string): void {
  // One character of UTF-16 is at least one byte of UTF-8, and those beyond ASCII are refused below.
  if (formula.length > greatestBytes) throw tooExpensive(`It is longer than ${greatestBytes} bytes.`)
  const foreign = /[^\w\s.,+\-*/%()<>=!&|?:"']/.exec(formula)
  if (foreign) throw notAllowed(`It holds ${JSON.stringify(foreign[0])}, which no formula needs.`)
  let depth = 0
  for (const character of formula) {
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
    if (depth > deepest) throw tooExpensive(`It is nested deeper than ${deepest} levels.`)
  }
}

function parse(formula: string): jsep.Expression {
  try {
    return jsep(formula)
  } catch (cause) {
    // The parser calls itself for each sign or choice in a row: a long enough row ends its stack, and nothing else.
    if (cause instanceof RangeError) throw tooExpensive(`It is nested deeper than ${deepest} levels.`)
    const detail = `The formula cannot be read. ${cause instanceof Error ? cause.message : ''}`.trim()
    throw new BusinessError('formula_invalid', detail, { cause })
  }
}

interface Count {
  parts: number
}

function toNode(expression: unknown, count: Count): Node {
  count.parts += 1
  if (count.parts > mostParts) throw tooExpensive(`It has more than ${mostParts} parts.`)
  const node = expression as jsep.CoreExpression | undefined
  const inner = (part: unknown) => toNode(part, count)
  switch (node?.type) {
    case 'Literal':
      return toLiteral(node)
    case 'Identifier':
      return { kind: 'value', name: node.name }
    case 'MemberExpression':
      return toNamed(node)
    case 'UnaryExpression':
      return toUnary(node, inner)
    case 'BinaryExpression':
      return toBinary(node, inner)
    case 'ConditionalExpression': {
      const { test, consequent, alternate } = node
      return { kind: 'choice', test: inner(test), chosen: inner(consequent), otherwise: inner(alternate) }
    }
    case 'CallExpression':
      return toCall(node, inner)
    case 'Compound':
      throw invalid('It is empty, or more than one expression.')
    case 'ArrayExpression':
    case 'SequenceExpression':
    case 'ThisExpression':
    case undefined:
    default:
      throw notAllowed('It holds more than arithmetic over named values.')
  }
}

function toLiteral({ value, raw }: jsep.Literal): Node {
  if (typeof value === 'boolean') return { kind: 'boolean', value }
  if (typeof value !== 'number') throw invalid('It holds a text where a number belongs.')
  // An exponent could name a number of a million digits in nine characters.
  if (!/^(\d+(\.\d*)?|\.\d+)$/.test(raw) || raw.length > longestNumber)
    throw invalid(`${raw} is not a plain decimal of at most ${longestNumber} characters.`)
  return { kind: 'number', text: raw.replace(/^\./, '0.').replace(/\.$/, '') }
}

/** `line.quantity` is one name; `metric("users").max` is an aggregate of a metric. */
function toNamed(node: jsep.MemberExpression): Node {
  if (node.computed || node.optional === true || node.property.type !== 'Identifier')
    throw notAllowed('It looks up what is not a name.')
  const property = (node.property as jsep.Identifier).name
  if (node.object.type === 'Identifier')
    return { kind: 'value', name: `${(node.object as jsep.Identifier).name}.${property}` }
  const call = node.object as jsep.CallExpression
  const metric = call.type === 'CallExpression' ? call.arguments[0] : undefined
  const isMetric = call.type === 'CallExpression' && nameOf(call.callee) === 'metric'
  if (!isMetric || call.arguments.length !== 1 || typeof metric?.['value'] !== 'string')
    throw notAllowed('Only metric("code") has something to look up in.')
  return { kind: 'metric', metric: metric['value'], aggregate: property }
}

function toUnary({ operator, argument }: jsep.UnaryExpression, inner: (part: unknown) => Node): Node {
  if (operator === '-') return { kind: 'negate', operand: inner(argument) }
  if (operator === '!') return { kind: 'not', operand: inner(argument) }
  if (operator === '+') return inner(argument)
  throw notAllowed(`It uses ${operator}.`)
}

function toBinary(node: jsep.BinaryExpression, inner: (part: unknown) => Node): Node {
  const sides = () => ({ left: inner(node.left), right: inner(node.right) })
  const calculates = arithmeticOperators.find((operator) => operator === node.operator)
  if (calculates) return { kind: 'arithmetic', operator: calculates, ...sides() }
  const compares = comparisonOperators.find((operator) => operator === node.operator)
  if (compares) return { kind: 'comparison', operator: compares, ...sides() }
  const joins = logicOperators.find((operator) => operator === node.operator)
  if (joins) return { kind: 'logic', operator: joins, ...sides() }
  throw notAllowed(`It uses ${node.operator}.`)
}

function toCall(node: jsep.CallExpression, inner: (part: unknown) => Node): Node {
  const called = nameOf(node.callee)
  const name = functionNames.find((name) => name === called)
  if (!name) throw notAllowed(`It calls ${called ?? 'what is not a function'}.`)
  return { kind: 'call', name, operands: node.arguments.map(inner) }
}

function nameOf(expression: jsep.Expression): string | undefined {
  return expression.type === 'Identifier' ? (expression as jsep.Identifier).name : undefined
}

function invalid(reason: string): BusinessError {
  return new BusinessError('formula_invalid', `The formula cannot be read. ${reason}`)
}

function notAllowed(reason: string): BusinessError {
  return new BusinessError('formula_not_allowed', `The formula is not allowed. ${reason}`)
}

function tooExpensive(reason: string): BusinessError {
  return new BusinessError('formula_too_expensive', `The formula is too expensive. ${reason}`)
}
