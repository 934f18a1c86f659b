import assert from 'node:assert/strict'
import test from 'node:test'
import { noAnswers, readAnswers } from '#domain/answers.ts'
import type { OrderField } from '#domain/order-field.ts'

const field = (code: string, of: Partial<OrderField> = {}): OrderField => ({
  code,
  title: code,
  kind: 'text',
  isRequired: false,
  variable: code.toUpperCase(),
  least: null,
  greatest: null,
  pattern: null,
  choices: [],
  ...of,
})
const application = {
  options: [],
  form: [field('title', { isRequired: true }), field('mail', { kind: 'email' })],
  askedVariables: ['TITLE', 'MAIL', 'TZ'],
}

test('what the form of an application asks is asked, by its codes and with its rules', () => {
  const product = { ...application, orderFields: [] }
  const said = { options: {}, fields: { title: 'Harbour', mail: 'a@b.example', TZ: 'UTC' } }
  assert.deepEqual(readAnswers([product], said, '/lines/0').variables, {
    TITLE: 'Harbour',
    MAIL: 'a@b.example',
    TZ: 'UTC',
  })
  assert.throws(() => readAnswers([product], noAnswers, '/lines/0'), {
    fields: [{ pointer: '/lines/0/fields/title', code: 'field_required', detail: 'title is needed.' }],
  })
  const wrong = { options: {}, fields: { title: 'Harbour', mail: 'nobody' } }
  assert.throws(() => readAnswers([product], wrong, '/lines/0'), { code: 'field_invalid' })
})

test('a product that asks for a variable itself asks it instead of the form', () => {
  const product = { ...application, orderFields: [field('name', { variable: 'TITLE' })] }
  const said = { options: {}, fields: { name: 'Harbour' } }
  assert.deepEqual(readAnswers([product], said, '/lines/0').variables, { TITLE: 'Harbour' })
  const byForm = { options: {}, fields: { title: 'Harbour' } }
  assert.throws(() => readAnswers([product], byForm, '/lines/0'), { code: 'field_invalid' })
})
