import assert from 'node:assert/strict'
import test from 'node:test'
import Big from 'big.js'
import fc from 'fast-check'
import { BusinessError, type ErrorCode } from '#domain/errors.ts'
import { checkFormula, evaluateFormula, type FormulaValues } from '#domain/pricing/formula.ts'

const named: FormulaValues = {
  values: { quantity: '7', 'line.quantity': '3', 'period.days': '30' },
  metrics: { users: { max: '4', average: '2.5' }, 'disk-gib': { last: '10' } },
}
const names = { values: ['quantity', 'line.quantity', 'period.days'], metrics: ['users', 'disk-gib'] }

const results: [formula: string, result: string][] = [
  ['2 * metric("users").max', '8'],
  ['12', '12'],
  ['0.1 + 0.2', '0.3'],
  ['1 / 4 * quantity', '1.75'],
  ['2 + 3 * 4 - 1', '13'],
  ['(2 + 3) * 4', '20'],
  ['-2 + 5', '3'],
  ['7 % 4', '3'],
  ['line.quantity * period.days', '90'],
  ["metric('disk-gib').last", '10'],
  ['quantity > 5 && metric("users").max != 5 ? 10 : 20', '10'],
  ['quantity > 10 || !true ? 10 : 20', '20'],
  ['min(quantity, 3, 5)', '3'],
  ['max(quantity, 3)', '7'],
  ['round(2.345, 2)', '2.35'],
  ['round(10 / 3)', '3'],
  ['ceil(2.1) + floor(2.9)', '5'],
  ['abs(3 - 5)', '2'],
  ['0.1 + 0.2 == 0.3 ? 1 : 0', '1'],
]

for (const [formula, result] of results) {
  test(`${formula} is ${result}`, () => {
    checkFormula(formula, names)
    assert.equal(evaluateFormula(formula, named).toFixed(), result)
  })
}

function hasCode(code: ErrorCode) {
  return (error: unknown) => error instanceof BusinessError && error.code === code
}

const refused: [code: ErrorCode, formula: string][] = [
  ['formula_invalid', ''],
  ['formula_invalid', '1 +'],
  ['formula_invalid', '1 2'],
  ['formula_invalid', '(1'],
  ['formula_invalid', '"text"'],
  ['formula_invalid', 'true'],
  ['formula_invalid', '1 + true'],
  ['formula_invalid', '1 ? 2 : 3'],
  ['formula_invalid', 'quantities'],
  ['formula_invalid', 'line.price'],
  ['formula_invalid', 'metric("memory").max'],
  ['formula_invalid', 'metric("users").mode'],
  ['formula_invalid', 'metric("users").constructor'],
  ['formula_invalid', 'constructor'],
  ['formula_invalid', '__proto__'],
  ['formula_invalid', 'quantity.constructor'],
  ['formula_invalid', 'globalThis.process'],
  ['formula_invalid', '1e9'],
  ['formula_invalid', '0x10'],
  ['formula_invalid', 'min()'],
  ['formula_invalid', 'floor(1, 2)'],
  ['formula_not_allowed', 'this'],
  ['formula_not_allowed', 'require("fs")'],
  ['formula_not_allowed', 'import("fs")'],
  ['formula_not_allowed', 'process.exit()'],
  ['formula_not_allowed', 'eval("1")'],
  ['formula_not_allowed', 'quantity.constructor.constructor("return 1")()'],
  ['formula_not_allowed', 'metric("users").max.constructor'],
  ['formula_not_allowed', '"".length'],
  ['formula_not_allowed', 'metric["users"]'],
  ['formula_not_allowed', 'while (true) {}'],
  ['formula_not_allowed', 'quantity = 1; 2'],
  ['formula_not_allowed', '`${1}`'],
  ['formula_not_allowed', '2 ** 8'],
  ['formula_not_allowed', '1 << 4'],
  ['formula_not_allowed', 'quantity === 1 ? 1 : 2'],
  ['formula_not_allowed', '(1, 2)'],
  ['formula_too_expensive', `1${' '.repeat(2 ** 20)}`],
  ['formula_too_expensive', `${'1+'.repeat(1000)}1`],
  ['formula_too_expensive', `${'('.repeat(101)}1${')'.repeat(101)}`],
  ['formula_too_expensive', `${'-'.repeat(4000)}1`],
]

for (const [code, formula] of refused) {
  test(`${formula.slice(0, 50)} is refused when saved and when evaluated: ${code}`, () => {
    assert.throws(() => checkFormula(formula, names), hasCode(code))
    assert.throws(() => evaluateFormula(formula, named), hasCode(code))
  })
}

test('a choice between a number and a condition is refused when it is saved', () => {
  assert.throws(() => checkFormula('true ? 1 : false', names), hasCode('formula_invalid'))
})

test('a result below 0 is refused when it is evaluated', () => {
  checkFormula('3 - quantity', names)
  assert.throws(() => evaluateFormula('3 - quantity', named), hasCode('quantity_negative'))
})

test('a division by zero and a value that is missing are refused when they are evaluated', () => {
  for (const formula of ['1 / (quantity - 7)', '1 % 0', 'metric("users").min']) {
    checkFormula(formula, names)
    assert.throws(() => evaluateFormula(formula, named), hasCode('formula_invalid'))
  }
})

test('numbers that grow out of all size are stopped on the way', () => {
  const growing = `${'9999999999 * '.repeat(40)}1`
  assert.throws(() => evaluateFormula(growing, named), hasCode('formula_too_expensive'))
})

/** Names that lead somewhere in JavaScript, and texts made of the signs that formulas are made of. */
const anyText = fc
  .array(
    fc.constantFrom(
      ...'constructor __proto__ prototype globalThis process toString metric quantity this new in'.split(' '),
      ...'"users" " ( ) . , + - * / % < = ! & | ? : [ ] { } ; => 1 0.5 min true'.split(' '),
      ' ',
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(''))

test('whatever is written, a formula gives a number or is refused with a code, and reaches nothing else', () => {
  fc.assert(
    fc.property(anyText, (formula) => {
      try {
        assert.ok(evaluateFormula(formula, named) instanceof Big)
      } catch (error) {
        assert.ok(error instanceof BusinessError, `${formula}: ${String(error)}`)
        assert.match(error.code, /^(formula_|quantity_negative)/)
      }
    }),
    { numRuns: 5000 },
  )
})

test('what was accepted when saved fails later only for its values', () => {
  fc.assert(
    fc.property(anyText, (formula) => {
      try {
        checkFormula(formula, names)
      } catch {
        return
      }
      try {
        evaluateFormula(formula, named)
      } catch (error) {
        assert.match(String(error), /divides by zero|below 0|no value metric/)
      }
    }),
    { numRuns: 5000 },
  )
})

test('a result has at most 40 decimals, however many factors it has', () => {
  assert.equal(evaluateFormula('(1 / 3) * (1 / 3) * (1 / 3) * 27', named).toFixed(30), `1.${'0'.repeat(30)}`)
  assert.ok(evaluateFormula('1 / 3 / 7 / 9', named).toFixed().length <= 42)
})
