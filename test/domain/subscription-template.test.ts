import assert from 'node:assert/strict'
import test from 'node:test'
import { agreeTerms, applyTemplate } from '#domain/subscription-template.ts'

test('an order’s own words win over its template’s, term by term', () => {
  const template = {
    terms: { trialDays: 15, upgrade: 'not_allowed' },
    tags: ['partner'],
    notes: 'By phone',
  } as const
  assert.deepEqual(applyTemplate(template, { terms: { trialDays: 0 }, tags: ['own'] }), {
    terms: { trialDays: 0, upgrade: 'not_allowed' },
    tags: ['own'],
    notes: 'By phone',
  })
  assert.deepEqual(applyTemplate({ notes: 'By phone' }, {}), { notes: 'By phone' })
})

test('what is agreed takes the place of the product’s terms; what is as usual is not kept', () => {
  assert.deepEqual(agreeTerms({ trialDays: 15, proration: 'none' }, { trialDays: 0 }), { proration: 'none' })
  assert.deepEqual(agreeTerms({ proration: 'none' }, undefined), { proration: 'none' })
})
