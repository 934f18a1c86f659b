import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { interpolate, variablesOf } from '#domain/interpolation.ts'

const values: Readonly<Record<string, string>> = { USER: 'ada', PASSWORD: 'p$1', EMPTY: '' }
const fill = (template: string): string =>
  interpolate(template, (name) => (Object.hasOwn(values, name) ? values[name] : undefined))

const templates: [template: string, filled: string][] = [
  ['plain', 'plain'],
  ['${USER}:${PASSWORD}@db', 'ada:p$1@db'],
  ['$USER-$PASSWORD.', 'ada-p$1.'],
  ['$$${USER}', '$ada'],
  ['$${USER}', '${USER}'],
  ['$$$${USER}', '$${USER}'],
  ['${PORT:-80}', '80'],
  ['${EMPTY:-full}|${EMPTY-full}', 'full|'],
  ['${PORT-80}|${USER-80}', '80|ada'],
  ['${USER:+is ${PASSWORD}}|${PORT:+is set}', 'is p$1|'],
  ['${EMPTY+there}|${EMPTY:+there}', 'there|'],
  ['${A:-${B:-${USER}}}', 'ada'],
  ['${URL:-http://{host}:80}', 'http://{host:80}'],
  ['${A:-}', ''],
  ['${USER:?must be set}', 'ada'],
]
for (const [template, filled] of templates) {
  test(`the template ${template} becomes ${filled}`, () => {
    assert.equal(fill(template), filled)
  })
}

for (const template of ['$', 'a$-b', '${', '${}', '${1A}', '${USER', '${USER:-x', '${USER!}', '${USER:}']) {
  test(`the template ${template} is refused`, () => {
    assert.throws(() => fill(template), { code: 'template_invalid' })
  })
}

test('a variable without a value stops the build instead of leaving a hole, in the words of the file', () => {
  assert.throws(() => fill('${PORT}'), { code: 'variable_missing', message: /PORT: has no value/ })
  assert.throws(() => fill('${PORT:?which port}'), { code: 'variable_missing', message: /PORT: which port/ })
  assert.throws(() => fill('${EMPTY:?x}'), { code: 'variable_missing' })
  assert.throws(() => fill('${constructor}'), { code: 'variable_missing' })
})

test('the variables of a template say whether they may be left out, and what stands there then', () => {
  assert.deepEqual(variablesOf('${A}-${B:-x${C}}-$D-$${E}${F:-f}${G:+g}'), [
    { name: 'A', isOptional: false, fallback: null },
    { name: 'B', isOptional: true, fallback: null },
    { name: 'C', isOptional: false, fallback: null },
    { name: 'D', isOptional: false, fallback: null },
    { name: 'F', isOptional: true, fallback: 'f' },
    { name: 'G', isOptional: true, fallback: null },
  ])
})

test('a value goes into the text as it is, whatever it contains', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      assert.equal(
        interpolate('<${SECRET}>', () => value),
        `<${value}>`,
      )
    }),
  )
})
